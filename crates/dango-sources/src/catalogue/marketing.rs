//! The catalogue: advertising, web, video and table analytics.

use super::FieldKind::{Date, Integer, Json, List};
use super::{AuthKind, Category, FieldSpec, TypeSpec};

// dlt's `GcpOAuthCredentials` resolves with these four only.
const CLIENT_ID: FieldSpec =
    FieldSpec::identity("client_id", "OAuth client id", "of the app made for `dango oauth setup google`").in_credentials();
const CLIENT_SECRET: FieldSpec = FieldSpec::secret("client_secret", "OAuth client secret", "of the same app").in_credentials();
const REFRESH_TOKEN: FieldSpec = FieldSpec::secret("refresh_token", "Refresh token", "written by `dango oauth`").in_credentials();
const PROJECT_ID: FieldSpec = FieldSpec::identity("project_id", "Project id", "dlt wants one; any text will do")
    .in_credentials()
    .default("dango-oauth");

const START_DATE: FieldSpec = FieldSpec::setting("start_date", "Start date", "load what is newer")
    .kind(Date)
    .optional()
    .example("2024-01-01");

const GOOGLE: Option<&str> = Some("https://console.cloud.google.com/apis/credentials");

pub(super) static TYPES: &[TypeSpec] = &[
    TypeSpec {
        name: "google_sheets",
        title: "Google Sheets",
        category: Category::MarketingAndAnalytics,
        auth: AuthKind::Oauth,
        module: Some("google_sheets"),
        source_names: &["google_spreadsheet"],
        fields: &[
            CLIENT_ID,
            CLIENT_SECRET,
            REFRESH_TOKEN,
            PROJECT_ID,
            FieldSpec::setting("spreadsheet_url_or_id", "Spreadsheet", "URL of the sheet or the id in it"),
            FieldSpec::setting("range_names", "Sheets", "tabs or ranges to load")
                .kind(List)
                .example("Orders, Customers"),
        ],
        variants: &[],
        credentials_url: GOOGLE,
        also: &["gsheets", "spreadsheet"],
    },
    TypeSpec {
        name: "google_analytics",
        title: "Google Analytics (GA4)",
        category: Category::MarketingAndAnalytics,
        auth: AuthKind::Oauth,
        module: Some("google_analytics"),
        source_names: &[],
        fields: &[
            CLIENT_ID,
            CLIENT_SECRET,
            REFRESH_TOKEN,
            PROJECT_ID,
            FieldSpec::setting("property_id", "Property id", "GA4 Admin, Property settings")
                .kind(Integer)
                .example("123456789"),
            FieldSpec::setting("queries", "Queries", "dimensions and metrics per table")
                .kind(Json)
                .optional(),
            START_DATE,
        ],
        variants: &[],
        credentials_url: GOOGLE,
        also: &["ga4", "ga"],
    },
    TypeSpec {
        name: "google_ads",
        title: "Google Ads",
        category: Category::MarketingAndAnalytics,
        auth: AuthKind::Oauth,
        module: Some("google_ads"),
        source_names: &[],
        fields: &[
            CLIENT_ID,
            CLIENT_SECRET,
            REFRESH_TOKEN,
            PROJECT_ID,
            FieldSpec::secret("dev_token", "Developer token", "Google Ads, API Center").earlier("GOOGLE_ADS_DEV_TOKEN"),
            FieldSpec::identity("customer_id", "Customer id", "number of the account, without dashes")
                .example("1234567890")
                .earlier("GOOGLE_ADS_CUSTOMER_ID"),
            FieldSpec::identity("impersonated_email", "Impersonated e-mail", "only with a service account").optional(),
            FieldSpec::setting("queries", "Queries", "GAQL query per table")
                .kind(Json)
                .optional(),
            START_DATE,
        ],
        variants: &[],
        credentials_url: GOOGLE,
        also: &["adwords"],
    },
    TypeSpec {
        name: "facebook_ads",
        title: "Facebook Ads",
        category: Category::MarketingAndAnalytics,
        auth: AuthKind::Oauth,
        module: Some("facebook_ads"),
        source_names: &[],
        fields: &[
            FieldSpec::secret("access_token", "Access token", "long-lived, 60 days; written by `dango oauth`").earlier("FB_ACCESS_TOKEN"),
            FieldSpec::identity("account_id", "Ad account id", "number in the Ads Manager's URL, without `act_`")
                .example("123456789")
                .earlier("FB_AD_ACCOUNT_ID"),
            FieldSpec::identity("client_id", "App id", "only for dlt's own token helper").optional(),
            FieldSpec::secret("client_secret", "App secret", "only for dlt's own token helper").optional(),
            FieldSpec::setting("initial_load_past_days", "Past days", "how far back the first load goes")
                .kind(Integer)
                .optional(),
        ],
        variants: &[],
        credentials_url: Some("https://developers.facebook.com/apps/"),
        also: &["fb_ads", "meta_ads", "meta", "instagram_ads"],
    },
    TypeSpec {
        name: "matomo",
        title: "Matomo Analytics",
        category: Category::MarketingAndAnalytics,
        auth: AuthKind::ApiKey,
        module: Some("matomo"),
        source_names: &["matomo_reports", "matomo_visits"],
        fields: &[
            FieldSpec::secret("api_token", "API token", "Settings, Personal, Security, Auth tokens").earlier("MATOMO_API_TOKEN"),
            FieldSpec::setting("url", "URL", "address of the Matomo installation").example("https://analytics.example.com"),
            FieldSpec::setting("site_id", "Site id", "number of the site in Matomo").kind(Integer),
            FieldSpec::setting("queries", "Queries", "reports per table").kind(Json).optional(),
        ],
        variants: &[],
        credentials_url: None,
        also: &["piwik"],
    },
    TypeSpec {
        name: "mux",
        title: "Mux",
        category: Category::MarketingAndAnalytics,
        auth: AuthKind::ApiKey,
        module: Some("mux"),
        source_names: &[],
        fields: &[
            FieldSpec::secret("mux_api_access_token", "Access token id", "Settings, Access tokens"),
            FieldSpec::secret("mux_api_secret_key", "Secret key", "shown once, when the token is made"),
            START_DATE,
        ],
        variants: &[],
        credentials_url: Some("https://dashboard.mux.com/settings/access-tokens"),
        also: &[],
    },
    TypeSpec {
        name: "airtable",
        title: "Airtable",
        category: Category::MarketingAndAnalytics,
        auth: AuthKind::ApiKey,
        module: Some("airtable"),
        source_names: &["airtable_source"],
        fields: &[
            FieldSpec::secret(
                "access_token",
                "Personal access token",
                "with the scopes data.records:read and schema.bases:read",
            )
            .example("pat…")
            .earlier("AIRTABLE_ACCESS_TOKEN"),
            FieldSpec::setting("base_id", "Base id", "in the base's URL, begins with `app`").example("app…"),
            FieldSpec::setting("table_names", "Tables", "names or ids; none for all")
                .kind(List)
                .optional(),
        ],
        variants: &[],
        credentials_url: Some("https://airtable.com/create/tokens"),
        also: &[],
    },
];
