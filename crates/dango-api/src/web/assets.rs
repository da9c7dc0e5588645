//! What pages load besides HTML: the stylesheet, our own modules, the mark. All of it is in the program, and is named after its content,
//! so a browser asks for each version once.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;

use super::visit::Visit;
use crate::problem::{Problem, code};

/// One file, as it is served.
pub(crate) struct Asset {
    /// Where it is: `/assets/<name>.<hash>.<extension>`.
    pub(crate) path: String,
    content: &'static [u8],
    media_type: &'static str,
}

/// Every file that pages load.
pub(crate) struct Assets {
    /// The stylesheet.
    pub(crate) style: Asset,
    /// What every page uses of script.
    pub(crate) script: Asset,
    /// What pages with dialogs use.
    pub(crate) settings: Asset,
    /// The mark.
    pub(crate) mark: Asset,
}

/// The files.
pub(crate) static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
    style: Asset::new("dango", "css", "text/css; charset=utf-8", include_bytes!("../../assets/dango.css")),
    script: Asset::new(
        "dango",
        "js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../assets/dango.js"),
    ),
    settings: Asset::new(
        "settings",
        "js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../assets/settings.js"),
    ),
    mark: Asset::new("mark", "svg", "image/svg+xml", include_bytes!("../../assets/mark.svg")),
});

impl Asset {
    fn new(name: &str, extension: &str, media_type: &'static str, content: &'static [u8]) -> Self {
        Self {
            path: format!("/assets/{name}.{:016x}.{extension}", fingerprint(content)),
            content,
            media_type,
        }
    }
}

/// `GET /assets/{file}`: a name is good for ever, because another content would have another.
pub(super) async fn serve(visit: Visit) -> Result<Response, Problem> {
    let file = visit.parameter("file");
    let assets = &*ASSETS;
    let all = [&assets.style, &assets.script, &assets.settings, &assets.mark];
    let found = all.into_iter().find(|asset| asset.path.strip_prefix("/assets/") == Some(file));
    let asset = found.ok_or_else(|| Problem::new(code!(not_found), "there is nothing at this address"))?;
    let mut response = Response::new(Body::from(Bytes::from_static(asset.content)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    let for_ever = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(header::CACHE_CONTROL, for_ever);
    Ok(response)
}

/// FNV-1a with 64 bits: it tells one version from the next, and is no protection against anybody.
const fn fingerprint(content: &[u8]) -> u64 {
    let (mut hash, mut at) = (0xcbf2_9ce4_8422_2325_u64, 0);
    while at < content.len() {
        hash = (hash ^ content[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of draft-eastlake-fnv, appendix C.
    #[test]
    fn a_name_follows_from_the_content() {
        assert_eq!(fingerprint(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fingerprint(b"foobar"), 0x8594_4171_f739_67e8);
        assert!(ASSETS.style.path.starts_with("/assets/dango.") && ASSETS.style.path.ends_with(".css"));
    }
}
