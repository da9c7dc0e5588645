//! That no app is registered at a provider, and what may be done about it.

use dango_oauth::Provider;

use crate::failure::Failure;

/// That the app is not known, and what may be done about it.
pub(super) fn missing(provider: &Provider) -> Failure {
    let [id, secret] = &provider.client_variables;
    Failure::refused(format!("no app of {} is registered here: .env has no {id}", provider.title))
        .with_code("missing_credentials")
        .hint(format!(
            "register one{} and store it with `dango oauth setup {}`",
            provider.console.as_ref().map(|url| format!(" at {url}")).unwrap_or_default(),
            provider.name
        ))
        .hint(format!("or put {id} and {secret} into the environment"))
}
