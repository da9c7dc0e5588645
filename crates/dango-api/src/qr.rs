//! A QR code as SVG, drawn here: no other server sees the secret, and the page needs no script for it.

use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

/// Draws a text; nothing if it is too long for a QR code.
pub(crate) fn svg(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    Some(code.render::<svg::Color<'_>>().min_dimensions(200, 200).quiet_zone(true).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawing_holds_no_text_and_nothing_active() {
        let svg = svg("otpauth://totp/Dango:a%40b.example?secret=JBSWY3DPEHPK3PXP&issuer=Dango").expect("short enough");
        assert!(svg.contains("<svg") && !svg.contains("JBSWY3DPEHPK3PXP"));
        assert!(!svg.contains("<script") && !svg.contains("href"));
        assert!(super::svg(&"x".repeat(5000)).is_none());
    }
}
