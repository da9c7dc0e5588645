//! Formats of applications: payment, messages, shops, models; data, with who defines each.

use super::checks::{any, facebook, openai, random, random_end, slack};
use super::shape::Part::{Run, Text};
use super::shape::Set::{Alnum, Base64, Base64Url, Dense, Digit, Hex, Upper};
use super::shape::exactly;
use super::{Anchor, Rule};

/// Twilio's ids: two letters and 32 hexadecimal digits, of which the first belongs to the anchor.
macro_rules! sids {
    ($($start:literal)*) => { &[$(Anchor::begins($start, &[exactly(Hex, 31)], random)),*] };
}

pub(super) static RULES: [Rule; 35] = [
    Rule::random(
        "slack-token",
        "a Slack token",
        "Slack API documentation, token types",
        &[
            Anchor::begins("xoxb-", &[Run(Base64Url, 20, 250)], slack),
            Anchor::begins("xoxp-", &[Run(Base64Url, 20, 250)], slack),
            Anchor::begins("xoxa-", &[Run(Base64Url, 20, 250)], slack),
            Anchor::begins("xoxr-", &[Run(Base64Url, 20, 250)], slack),
            Anchor::begins("xoxs-", &[Run(Base64Url, 20, 250)], slack),
            Anchor::begins("xoxo-", &[Run(Base64Url, 20, 250)], slack),
            Anchor::begins("xoxe.xox", &[Run(Base64Url, 20, 250)], slack),
            Anchor::begins("xoxe-1-", &[Run(Base64Url, 40, 250)], slack),
            Anchor::begins(
                "xapp-1-",
                &[Run(Upper, 8, 16), Text("-"), Run(Digit, 8, 16), Text("-"), exactly(Hex, 64)],
                random_end,
            ),
        ],
    ),
    Rule::random(
        "slack-webhook",
        "a Slack web hook",
        "Slack API documentation, incoming webhooks",
        &[
            Anchor::begins(
                "hooks.slack.com/services/T",
                &[Run(Upper, 7, 14), Text("/B"), Run(Upper, 7, 14), Text("/"), Run(Alnum, 18, 32)],
                random,
            ),
            Anchor::begins(
                "hooks.slack.com/workflows/T",
                &[
                    Run(Upper, 7, 14),
                    Text("/A"),
                    Run(Upper, 7, 14),
                    Text("/"),
                    Run(Digit, 10, 24),
                    Text("/"),
                    Run(Alnum, 18, 32),
                ],
                random,
            ),
        ],
    ),
    Rule::random(
        "stripe-key",
        "a Stripe key",
        "Stripe documentation, API keys",
        &[
            Anchor::begins("sk_live_", &[Run(Alnum, 24, 247)], random),
            Anchor::begins("rk_live_", &[Run(Alnum, 24, 247)], random),
            Anchor::begins("sk_test_", &[Run(Alnum, 24, 247)], random),
            Anchor::begins("rk_test_", &[Run(Alnum, 24, 247)], random),
            Anchor::begins("sk_org_live_", &[Run(Alnum, 24, 247)], random),
            Anchor::begins("whsec_", &[Run(Base64, 32, 64)], random),
        ],
    ),
    Rule::random(
        "facebook-token",
        "a Facebook access token",
        "Meta for Developers, access tokens",
        &[Anchor::begins("EAA", &[Run(Alnum, 80, 512)], facebook)],
    ),
    Rule::random(
        "openai-key",
        "an OpenAI key",
        "OpenAI API reference, authentication",
        &[
            Anchor::begins("sk-proj-", &[Run(Base64Url, 40, 300)], openai),
            Anchor::begins("sk-svcacct-", &[Run(Base64Url, 40, 300)], openai),
            Anchor::begins("sk-admin-", &[Run(Base64Url, 40, 300)], openai),
            Anchor::within((Base64Url, 23, 23), "T3BlbkFJ", &[exactly(Alnum, 20)], openai),
        ],
    ),
    Rule::random(
        "anthropic-key",
        "an Anthropic key",
        "Anthropic API reference, authentication",
        &[
            Anchor::begins("sk-ant-api", &[exactly(Digit, 2), Text("-"), Run(Base64Url, 80, 120)], random),
            Anchor::begins("sk-ant-admin", &[exactly(Digit, 2), Text("-"), Run(Base64Url, 80, 120)], random),
            Anchor::begins("sk-ant-oat", &[exactly(Digit, 2), Text("-"), Run(Base64Url, 80, 120)], random),
        ],
    ),
    Rule::random(
        "sendgrid-key",
        "a SendGrid key",
        "Twilio SendGrid documentation, API keys",
        &[Anchor::begins(
            "SG.",
            &[exactly(Base64Url, 22), Text("."), exactly(Base64Url, 43)],
            random,
        )],
    ),
    Rule::random(
        "twilio-key",
        "a Twilio key or account id",
        "Twilio documentation, API keys and SIDs",
        sids!["SK0" "SK1" "SK2" "SK3" "SK4" "SK5" "SK6" "SK7" "SK8" "SK9" "SKa" "SKb" "SKc" "SKd" "SKe" "SKf"
              "AC0" "AC1" "AC2" "AC3" "AC4" "AC5" "AC6" "AC7" "AC8" "AC9" "ACa" "ACb" "ACc" "ACd" "ACe" "ACf"],
    ),
    Rule::random(
        "mailchimp-key",
        "a Mailchimp key",
        "Mailchimp Developer documentation, fundamentals",
        &[Anchor::within((Hex, 32, 32), "-us", &[Run(Digit, 1, 2)], random)],
    ),
    Rule::random(
        "mailgun-key",
        "a Mailgun key",
        "Mailgun documentation, authentication",
        &[Anchor::begins("key-", &[exactly(Hex, 32)], random)],
    ),
    Rule::random(
        "telegram-token",
        "a Telegram bot token",
        "Telegram Bot API, authorizing your bot",
        &[Anchor::within((Digit, 8, 10), ":AA", &[exactly(Base64Url, 33)], random_end)],
    ),
    Rule::random(
        "shopify-token",
        "a Shopify token",
        "Shopify developer documentation, changelog of 2020-04: access token formats",
        &[
            Anchor::begins("shpat_", &[exactly(Hex, 32)], random),
            Anchor::begins("shpca_", &[exactly(Hex, 32)], random),
            Anchor::begins("shppa_", &[exactly(Hex, 32)], random),
            Anchor::begins("shpss_", &[exactly(Hex, 32)], random),
        ],
    ),
    Rule::random(
        "hubspot-token",
        "a HubSpot private app token",
        "HubSpot developer documentation, private apps",
        &[
            Anchor::begins(
                "pat-na",
                &[
                    exactly(Digit, 1),
                    Text("-"),
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
            Anchor::begins(
                "pat-eu",
                &[
                    exactly(Digit, 1),
                    Text("-"),
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
        "airtable-token",
        "an Airtable token",
        "Airtable Web API, authentication",
        &[Anchor::begins("pat", &[exactly(Alnum, 14), Text("."), exactly(Hex, 64)], random)],
    ),
    Rule::random(
        "notion-token",
        "a Notion token",
        "Notion developer documentation, changelog of 2024-09-25",
        &[
            Anchor::begins("ntn_", &[Run(Alnum, 43, 50)], random),
            Anchor::begins("secret_", &[exactly(Alnum, 43)], random),
        ],
    ),
    Rule::random(
        "linear-key",
        "a Linear key",
        "Linear developer documentation, personal API keys",
        &[
            Anchor::begins("lin_api_", &[exactly(Alnum, 40)], random),
            Anchor::begins("lin_oauth_", &[exactly(Hex, 64)], random),
        ],
    ),
    Rule::random(
        "square-token",
        "a Square token",
        "Square developer documentation, access tokens",
        &[
            Anchor::begins("sq0atp-", &[exactly(Base64Url, 22)], random),
            Anchor::begins("sq0csp-", &[exactly(Base64Url, 43)], random),
        ],
    ),
    Rule::random(
        "postman-key",
        "a Postman key",
        "Postman documentation, API authentication",
        &[Anchor::begins("PMAK-", &[exactly(Hex, 24), Text("-"), exactly(Hex, 34)], random)],
    ),
    Rule::random(
        "newrelic-key",
        "a New Relic key",
        "New Relic documentation, API keys",
        &[
            Anchor::begins("NRAK-", &[exactly(Upper, 27)], random),
            Anchor::begins("NRII-", &[exactly(Base64Url, 32)], random),
        ],
    ),
    Rule::random(
        "grafana-token",
        "a Grafana token",
        "Grafana documentation, service accounts",
        &[
            Anchor::begins("glsa_", &[exactly(Alnum, 32), Text("_"), exactly(Hex, 8)], random),
            Anchor::begins("glc_eyJ", &[Run(Base64, 40, 512)], random),
        ],
    ),
    Rule::random(
        "atlassian-token",
        "an Atlassian API token",
        "Atlassian Support, manage API tokens",
        &[
            Anchor::begins("ATATT3xFfGF0", &[Run(Dense, 100, 300)], random),
            Anchor::begins("ATCTT3xFfG", &[Run(Dense, 100, 300)], random),
        ],
    ),
    Rule::random(
        "doppler-token",
        "a Doppler token",
        "Doppler documentation, auth token formats",
        &[
            Anchor::begins("dp.pt.", &[Run(Alnum, 40, 44)], random),
            Anchor::begins("dp.ct.", &[Run(Alnum, 40, 44)], random),
            Anchor::begins("dp.sa.", &[Run(Alnum, 40, 44)], random),
        ],
    ),
    Rule::random(
        "heroku-key",
        "a Heroku key",
        "Heroku Dev Center, changelog of 2024-11",
        &[Anchor::begins("HRKU-AA", &[Run(Base64Url, 58, 60)], random)],
    ),
    Rule::random(
        "sentry-token",
        "a Sentry token",
        "Sentry developer documentation, API token formats",
        &[
            Anchor::begins("sntryu_", &[exactly(Hex, 64)], random),
            Anchor::begins("sntrys_eyJ", &[Run(Dense, 80, 512)], any),
        ],
    ),
    Rule::random(
        "mapbox-token",
        "a secret Mapbox token",
        "Mapbox documentation, access tokens",
        &[Anchor::begins(
            "sk.eyJ",
            &[Run(Base64Url, 40, 256), Text("."), exactly(Base64Url, 22)],
            random,
        )],
    ),
    Rule::random(
        "figma-token",
        "a Figma token",
        "Figma developer documentation, authentication",
        &[Anchor::begins("figd_", &[Run(Base64Url, 40, 44)], random)],
    ),
    Rule::random(
        "dropbox-token",
        "a Dropbox token",
        "Dropbox OAuth guide, short-lived tokens",
        &[
            Anchor::begins("sl.u.", &[Run(Base64Url, 130, 2048)], random),
            Anchor::begins("sl.B", &[Run(Base64Url, 130, 152)], random),
        ],
    ),
    Rule::random(
        "klaviyo-key",
        "a private Klaviyo key",
        "Klaviyo developer documentation, API authentication",
        &[Anchor::begins("pk_", &[exactly(Hex, 34)], random)],
    ),
    Rule::random(
        "typeform-token",
        "a Typeform token",
        "Typeform developer documentation, personal access tokens",
        &[Anchor::begins("tfp_", &[Run(Dense, 40, 70)], random)],
    ),
    Rule::random(
        "contentful-token",
        "a Contentful management token",
        "Contentful documentation, personal access tokens",
        &[Anchor::begins("CFPAT-", &[exactly(Base64Url, 43)], random)],
    ),
    Rule::random(
        "replicate-token",
        "a Replicate token",
        "Replicate documentation, API tokens",
        &[Anchor::begins("r8_", &[exactly(Alnum, 37)], random)],
    ),
    Rule::random(
        "groq-key",
        "a Groq key",
        "Groq documentation, API keys",
        &[Anchor::begins("gsk_", &[exactly(Alnum, 52)], random)],
    ),
    Rule::random(
        "xai-key",
        "an xAI key",
        "xAI documentation, API keys",
        &[Anchor::begins("xai-", &[exactly(Alnum, 80)], random)],
    ),
    Rule::random(
        "discord-webhook",
        "a Discord web hook",
        "Discord developer documentation, webhook resource",
        &[
            Anchor::begins(
                "discord.com/api/webhooks/",
                &[Run(Digit, 17, 20), Text("/"), Run(Base64Url, 60, 80)],
                random_end,
            ),
            Anchor::begins(
                "discordapp.com/api/webhooks/",
                &[Run(Digit, 17, 20), Text("/"), Run(Base64Url, 60, 80)],
                random_end,
            ),
        ],
    ),
    Rule::random(
        "age-secret-key",
        "an age secret key",
        "age-encryption.org/v1, X25519 identities: Bech32",
        &[Anchor::begins("AGE-SECRET-KEY-1", &[exactly(Upper, 58)], random)],
    ),
];
