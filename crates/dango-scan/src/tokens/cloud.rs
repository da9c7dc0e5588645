//! Formats of clouds, code hosts and registries; data, with who defines each.

use super::checks::{any, aws_id, checksummed, is_random, random, strictly_checksummed};
use super::shape::Part::{Run, Text};
use super::shape::Set::{Alnum, Base64, Base64Url, Dense, Hex, Letter, Upper};
use super::shape::exactly;
use super::{Anchor, Match, Rule};

pub(super) static RULES: [Rule; 22] = [
    Rule::random(
        "aws-access-key-id",
        "an AWS access key id",
        "AWS IAM User Guide, unique identifiers",
        &[
            Anchor::begins("AKIA", &[exactly(Upper, 16)], aws_id),
            Anchor::begins("ASIA", &[exactly(Upper, 16)], aws_id),
            Anchor::begins("ABIA", &[exactly(Upper, 16)], aws_id),
            Anchor::begins("ACCA", &[exactly(Upper, 16)], aws_id),
        ],
    ),
    Rule::random(
        "aws-secret-access-key",
        "an AWS secret access key",
        "AWS IAM User Guide, managing access keys",
        &[
            Anchor::around("secret_access_key", aws_secret),
            Anchor::around("secretaccesskey", aws_secret),
            Anchor::around("aws_secret_key", aws_secret),
            Anchor::around("aws_secret", aws_secret),
        ],
    ),
    Rule::random(
        "github-token",
        "a GitHub token",
        "GitHub Blog, 2021-04-05, behind GitHub's new authentication token formats",
        &[
            Anchor::begins("ghp_", &[exactly(Alnum, 36)], checksummed),
            Anchor::begins("gho_", &[exactly(Alnum, 36)], checksummed),
            Anchor::begins("ghu_", &[exactly(Alnum, 36)], checksummed),
            Anchor::begins("ghs_", &[exactly(Alnum, 36)], checksummed),
            Anchor::begins("ghr_", &[Run(Alnum, 36, 76)], checksummed),
            Anchor::begins("github_pat_", &[exactly(Alnum, 22), Text("_"), exactly(Alnum, 59)], random),
        ],
    ),
    Rule::random(
        "gitlab-token",
        "a GitLab token",
        "GitLab documentation, token overview",
        &[
            Anchor::begins("glpat-", &[Run(Base64Url, 20, 300), Run(Dense, 0, 40)], random),
            Anchor::begins("glptt-", &[exactly(Hex, 40)], random),
            Anchor::begins("gldt-", &[Run(Base64Url, 20, 64)], random),
            Anchor::begins("glrt-", &[Run(Dense, 20, 300)], random),
            Anchor::begins("glcbt-", &[Run(Dense, 20, 300)], random),
            Anchor::begins("gloas-", &[exactly(Hex, 64)], random),
            Anchor::begins("glsoat-", &[Run(Base64Url, 20, 64)], random),
            Anchor::begins("glimt-", &[Run(Base64Url, 20, 64)], random),
            Anchor::begins("glagent-", &[Run(Base64Url, 50, 64)], random),
            Anchor::begins("GR1348941", &[exactly(Base64Url, 20)], random),
        ],
    ),
    Rule::random(
        "bitbucket-token",
        "a Bitbucket app password",
        "Atlassian Support, app passwords",
        &[Anchor::begins("ATBB", &[exactly(Alnum, 32)], random)],
    ),
    Rule::random(
        "google-api-key",
        "a Google API key",
        "Google Cloud documentation, API keys",
        &[Anchor::begins("AIza", &[exactly(Base64Url, 35)], random)],
    ),
    Rule::random(
        "google-oauth-secret",
        "a Google OAuth client secret",
        "Google Identity documentation, OAuth 2.0 clients",
        &[Anchor::begins("GOCSPX-", &[exactly(Base64Url, 28)], random)],
    ),
    Rule::random(
        "google-oauth-token",
        "a Google OAuth token",
        "Google Identity documentation, OAuth 2.0 for web server applications",
        &[
            Anchor::begins("ya29.", &[Run(Base64Url, 40, 2048)], random),
            Anchor::begins("1//0", &[Run(Base64Url, 40, 512)], random),
        ],
    ),
    Rule::random(
        "azure-storage-key",
        "an Azure storage account key",
        "Microsoft Learn, configure Azure Storage connection strings",
        &[Anchor::begins("AccountKey=", &[exactly(Base64, 86), Text("==")], random)],
    ),
    Rule::random(
        "azure-client-secret",
        "a Microsoft Entra client secret",
        "Microsoft Learn, application credentials",
        &[
            Anchor::within((Dense, 3, 3), "7Q~", &[Run(Dense, 31, 34)], random),
            Anchor::within((Dense, 3, 3), "8Q~", &[Run(Dense, 31, 34)], random),
        ],
    ),
    Rule::random(
        "digitalocean-token",
        "a DigitalOcean token",
        "DigitalOcean API reference, authentication",
        &[
            Anchor::begins("dop_v1_", &[exactly(Hex, 64)], random),
            Anchor::begins("doo_v1_", &[exactly(Hex, 64)], random),
            Anchor::begins("dor_v1_", &[exactly(Hex, 64)], random),
        ],
    ),
    Rule::random(
        "databricks-token",
        "a Databricks token",
        "Databricks documentation, personal access tokens",
        &[Anchor::begins("dapi", &[exactly(Hex, 32)], random)],
    ),
    Rule::random(
        "npm-token",
        "an npm access token",
        "GitHub Blog, 2021-09-23, npm has a new access token format",
        &[
            Anchor::begins("npm_", &[exactly(Alnum, 36)], checksummed),
            Anchor::begins(
                "_authToken=",
                &[
                    exactly(Hex, 8),
                    Text("-"),
                    exactly(Hex, 4),
                    Text("-"),
                    exactly(Hex, 4),
                    Text("-"),
                    exactly(Hex, 4),
                    Text("-"),
                    exactly(Hex, 12),
                ],
                random,
            ),
        ],
    ),
    Rule::random(
        "pypi-token",
        "a PyPI upload token",
        "PyPI documentation, API tokens: a macaroon for pypi.org or test.pypi.org",
        &[
            Anchor::begins("pypi-AgEIcHlwaS5vcmc", &[Run(Base64Url, 50, 1024)], any),
            Anchor::begins("pypi-AgENdGVzdC5weXBpLm9yZw", &[Run(Base64Url, 50, 1024)], any),
        ],
    ),
    Rule::random(
        "docker-token",
        "a Docker Hub access token",
        "Docker documentation, access tokens",
        &[
            Anchor::begins("dckr_pat_", &[exactly(Base64Url, 27)], random),
            Anchor::begins("dckr_oat_", &[exactly(Base64Url, 32)], random),
        ],
    ),
    Rule::random(
        "vault-token",
        "a HashiCorp Vault token",
        "HashiCorp Vault documentation, token prefixes",
        &[
            Anchor::begins("hvs.", &[Run(Base64Url, 90, 256)], random),
            Anchor::begins("hvb.", &[Run(Base64Url, 90, 512)], random),
        ],
    ),
    Rule::random(
        "terraform-token",
        "an HCP Terraform token",
        "HCP Terraform documentation, API tokens",
        &[Anchor::within((Alnum, 14, 14), ".atlasv1.", &[Run(Base64Url, 60, 70)], random)],
    ),
    Rule::random(
        "artifactory-token",
        "a JFrog Artifactory API key",
        "JFrog documentation, user profile",
        &[
            Anchor::begins("AKCp5", &[Run(Alnum, 60, 80)], random),
            Anchor::begins("AKCp8", &[Run(Alnum, 60, 80)], random),
        ],
    ),
    Rule::random(
        "huggingface-token",
        "a Hugging Face token",
        "Hugging Face documentation, user access tokens",
        &[Anchor::begins("hf_", &[Run(Letter, 34, 40)], random)],
    ),
    Rule::random(
        "supabase-token",
        "a Supabase access token",
        "Supabase documentation, personal access tokens",
        &[Anchor::begins("sbp_", &[exactly(Hex, 40)], random)],
    ),
    Rule::random(
        "planetscale-token",
        "a PlanetScale password or token",
        "PlanetScale documentation, service tokens",
        &[
            Anchor::begins("pscale_tkn_", &[Run(Dense, 32, 64)], random),
            Anchor::begins("pscale_pw_", &[Run(Dense, 32, 64)], random),
        ],
    ),
    Rule::random(
        "dango-api-key",
        "an API key of a Dango server",
        "this project's docs/people.md: 40 random characters of base62 and their CRC-32",
        &[Anchor::begins("dak_", &[exactly(Alnum, 46)], strictly_checksummed)],
    ),
];

/// The 40 characters that are assigned to a name that ends here; not those of AWS's own examples.
fn aws_secret(text: &[u8], at: usize) -> Option<Match> {
    const LENGTH: usize = 40;
    let is_between = |byte: &&u8| matches!(byte, b'"' | b'\'' | b'\\' | b' ' | b'\t' | b'=' | b':' | b'>' | b'(' | b',');
    let name = text[at..]
        .iter()
        .take(24)
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count();
    let between = text[at + name..].iter().take(16).take_while(is_between).count();
    let start = at + name + between;
    let end = start + text[start..].iter().take(LENGTH + 1).take_while(|byte| Base64.has(**byte)).count();
    let is_secret = between > 0 && end - start == LENGTH && is_random(&text[start..end]);
    let has_digit_and_letter = text[start..end].iter().any(u8::is_ascii_digit) && text[start..end].iter().any(u8::is_ascii_lowercase);
    (is_secret && has_digit_and_letter).then_some(Match { start, end })
}
