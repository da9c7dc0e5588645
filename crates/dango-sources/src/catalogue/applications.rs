//! The catalogue: business applications, shops, developers' tools, messages, documents and mail.

use super::FieldKind::{Boolean, Date, Integer, Json, List, Multiline};
use super::{AuthKind, Category, FieldSpec, TypeSpec, Variant};

const START_DATE: FieldSpec = FieldSpec::setting("start_date", "Start date", "load what is newer")
    .kind(Date)
    .optional()
    .example("2024-01-01");
const RESOURCES: FieldSpec = FieldSpec::setting("resources", "Resources", "what to load; none for all")
    .kind(List)
    .optional();
const ENDPOINTS: FieldSpec = FieldSpec::setting("endpoints", "Endpoints", "what to load; none for all")
    .kind(List)
    .optional();

pub(super) static TYPES: &[TypeSpec] = &[
    TypeSpec {
        name: "hubspot",
        title: "HubSpot",
        category: Category::BusinessAndCrm,
        auth: AuthKind::ApiKey,
        module: Some("hubspot"),
        source_names: &[],
        fields: &[
            FieldSpec::secret("api_key", "Access token", "Settings, Integrations, Private Apps").earlier("HUBSPOT_API_KEY"),
            RESOURCES,
        ],
        variants: &[],
        credentials_url: Some("https://app.hubspot.com/"),
        also: &[],
    },
    TypeSpec {
        name: "salesforce",
        title: "Salesforce",
        category: Category::BusinessAndCrm,
        auth: AuthKind::ServiceAccount,
        module: Some("salesforce"),
        source_names: &[],
        fields: &[
            FieldSpec::identity("user_name", "User name", "of the Salesforce user")
                .in_credentials()
                .example("me@example.com"),
            FieldSpec::secret("password", "Password", "of the Salesforce user").in_credentials(),
            FieldSpec::secret("security_token", "Security token", "Settings, Reset My Security Token").in_credentials(),
            FieldSpec::secret("organization_id", "Organization id", "with trusted IP ranges").in_credentials(),
            FieldSpec::secret("consumer_key", "Consumer key", "of the connected app").in_credentials(),
            FieldSpec::secret("consumer_secret", "Consumer secret", "of the connected app").in_credentials(),
            FieldSpec::identity("domain", "Domain", "of My Domain, without `.salesforce.com`").in_credentials(),
            FieldSpec::secret("privatekey", "Private key", "PEM text, with real line breaks")
                .in_credentials()
                .kind(Multiline),
            FieldSpec::identity("privatekey_file", "Private key file", "path of a PEM file").in_credentials(),
            FieldSpec::secret("session_id", "Session id", "of a session that is open").in_credentials(),
            FieldSpec::identity("instance", "Instance", "host of the instance").in_credentials(),
            FieldSpec::identity("instance_url", "Instance URL", "address of the instance")
                .in_credentials()
                .example("https://example.my.salesforce.com"),
        ],
        variants: &[
            Variant {
                name: "security_token",
                title: "Password and security token",
                needs: &["user_name", "password", "security_token"],
                takes: &[],
            },
            Variant {
                name: "client_credentials",
                title: "Connected app, client credentials",
                needs: &["consumer_key", "consumer_secret", "domain"],
                takes: &[],
            },
            Variant {
                name: "consumer_key",
                title: "Connected app with user name and password",
                needs: &["user_name", "password", "consumer_key", "consumer_secret"],
                takes: &[],
            },
            Variant {
                name: "jwt",
                title: "Connected app with a private key",
                needs: &["user_name", "consumer_key", "privatekey"],
                takes: &["instance_url"],
            },
            Variant {
                name: "jwt_file",
                title: "Connected app with a private key in a file",
                needs: &["user_name", "consumer_key", "privatekey_file"],
                takes: &["instance_url"],
            },
            Variant {
                name: "organization_id",
                title: "Password within trusted IP ranges",
                needs: &["user_name", "password", "organization_id"],
                takes: &[],
            },
            Variant {
                name: "session",
                title: "Open session, instance URL",
                needs: &["session_id", "instance_url"],
                takes: &[],
            },
            Variant {
                name: "session_instance",
                title: "Open session, instance",
                needs: &["session_id", "instance"],
                takes: &[],
            },
        ],
        credentials_url: Some("https://login.salesforce.com/"),
        also: &["sfdc"],
    },
    TypeSpec {
        name: "pipedrive",
        title: "Pipedrive",
        category: Category::BusinessAndCrm,
        auth: AuthKind::ApiKey,
        module: Some("pipedrive"),
        source_names: &[],
        fields: &[
            FieldSpec::secret("pipedrive_api_key", "API token", "Settings, Personal preferences, API")
                .also(&["api_key"])
                .earlier("PIPEDRIVE_API_KEY"),
            FieldSpec::setting("since_timestamp", "Since", "load what changed later")
                .kind(Date)
                .optional(),
            RESOURCES,
        ],
        variants: &[],
        credentials_url: Some("https://app.pipedrive.com/settings/api"),
        also: &[],
    },
    TypeSpec {
        name: "freshdesk",
        title: "Freshdesk",
        category: Category::BusinessAndCrm,
        auth: AuthKind::ApiKey,
        module: Some("freshdesk"),
        source_names: &["freshdesk_source"],
        fields: &[
            FieldSpec::identity("domain", "Domain", "`example` of `example.freshdesk.com`").example("example"),
            FieldSpec::secret("api_secret_key", "API key", "Profile settings, View API key")
                .also(&["api_key"])
                .earlier("FRESHDESK_API_KEY"),
            ENDPOINTS,
            FieldSpec::setting("per_page", "Page size", "records per request, at most 100")
                .kind(Integer)
                .optional(),
        ],
        variants: &[],
        credentials_url: None,
        also: &[],
    },
    TypeSpec {
        name: "zendesk",
        title: "Zendesk",
        category: Category::BusinessAndCrm,
        auth: AuthKind::Basic,
        module: Some("zendesk"),
        source_names: &["zendesk_support", "zendesk_chat", "zendesk_talk"],
        fields: &[
            FieldSpec::identity("subdomain", "Subdomain", "`example` of `example.zendesk.com`")
                .in_credentials()
                .example("example"),
            FieldSpec::identity("email", "E-mail", "of the Zendesk user")
                .in_credentials()
                .example("me@example.com"),
            FieldSpec::secret("token", "API token", "Admin Center, Apps and integrations, API tokens").in_credentials(),
            FieldSpec::secret("password", "Password", "of the Zendesk user").in_credentials(),
            FieldSpec::secret("oauth_token", "OAuth token", "of an OAuth client; Zendesk Chat takes only this").in_credentials(),
            START_DATE,
        ],
        variants: &[
            Variant {
                name: "token",
                title: "E-mail and API token",
                needs: &["subdomain", "email", "token"],
                takes: &[],
            },
            Variant {
                name: "password",
                title: "E-mail and password",
                needs: &["subdomain", "email", "password"],
                takes: &[],
            },
            Variant {
                name: "oauth",
                title: "OAuth token",
                needs: &["subdomain", "oauth_token"],
                takes: &[],
            },
        ],
        credentials_url: None,
        also: &[],
    },
    TypeSpec {
        name: "jira",
        title: "Jira",
        category: Category::BusinessAndCrm,
        auth: AuthKind::Basic,
        module: Some("jira"),
        source_names: &["jira_search"],
        fields: &[
            FieldSpec::identity("subdomain", "Subdomain", "`example` of `example.atlassian.net`").example("example"),
            FieldSpec::identity("email", "E-mail", "of the Atlassian account")
                .example("me@example.com")
                .earlier("JIRA_EMAIL"),
            FieldSpec::secret("api_token", "API token", "Atlassian account, Security, API tokens").earlier("JIRA_API_TOKEN"),
            FieldSpec::setting("page_size", "Page size", "results per request")
                .kind(Integer)
                .optional(),
            RESOURCES,
        ],
        variants: &[],
        credentials_url: Some("https://id.atlassian.com/manage-profile/security/api-tokens"),
        also: &["atlassian"],
    },
    TypeSpec {
        name: "workable",
        title: "Workable",
        category: Category::BusinessAndCrm,
        auth: AuthKind::ApiKey,
        module: Some("workable"),
        source_names: &[],
        fields: &[
            FieldSpec::secret("access_token", "API access token", "Settings, Integrations, Apps, API").earlier("WORKABLE_ACCESS_TOKEN"),
            FieldSpec::setting("subdomain", "Subdomain", "`example` of `example.workable.com`").example("example"),
            START_DATE,
            FieldSpec::setting("load_details", "Details", "load activities of jobs and candidates, too")
                .kind(Boolean)
                .optional(),
        ],
        variants: &[],
        credentials_url: None,
        also: &[],
    },
    TypeSpec {
        name: "asana",
        title: "Asana",
        category: Category::BusinessAndCrm,
        auth: AuthKind::ApiKey,
        module: Some("asana_dlt"),
        source_names: &[],
        fields: &[
            FieldSpec::secret("access_token", "Personal access token", "Settings, Apps, Developer apps"),
            RESOURCES,
        ],
        variants: &[],
        credentials_url: Some("https://app.asana.com/0/developer-console"),
        also: &[],
    },
    TypeSpec {
        name: "stripe",
        title: "Stripe",
        category: Category::EcommerceAndPayment,
        auth: AuthKind::ApiKey,
        module: Some("stripe_analytics"),
        source_names: &["stripe_source", "incremental_stripe_source"],
        fields: &[
            FieldSpec::secret(
                "stripe_secret_key",
                "Secret key",
                "Developers, API keys; a restricted key with read access is enough",
            )
            .example("sk_test_…")
            .also(&["api_key"])
            .earlier("STRIPE_API_KEY"),
            ENDPOINTS,
            START_DATE,
        ],
        variants: &[],
        credentials_url: Some("https://dashboard.stripe.com/apikeys"),
        also: &["stripe_analytics"],
    },
    TypeSpec {
        name: "shopify",
        title: "Shopify",
        category: Category::EcommerceAndPayment,
        auth: AuthKind::Oauth,
        module: Some("shopify_dlt"),
        source_names: &["shopify"],
        fields: &[
            FieldSpec::secret(
                "private_app_password",
                "Admin API access token",
                "Settings, Apps and sales channels, Develop apps",
            )
            .example("shpat_…"),
            FieldSpec::identity("shop_url", "Shop URL", "address of the shop").example("https://example.myshopify.com"),
            RESOURCES,
            START_DATE,
        ],
        variants: &[],
        credentials_url: Some("https://admin.shopify.com/"),
        also: &["shopify_dlt"],
    },
    TypeSpec {
        name: "github",
        title: "GitHub",
        category: Category::Development,
        auth: AuthKind::ApiKey,
        module: Some("github"),
        source_names: &["github_reactions", "github_repo_events", "github_stargazers"],
        fields: &[
            FieldSpec::secret("access_token", "Personal access token", "with read access to the repository")
                .example("ghp_…")
                .earlier("GITHUB_ACCESS_TOKEN"),
            FieldSpec::setting("owner", "Owner", "user or organization that owns the repository"),
            // dlt's argument is `name`, which in `sources.yml` is the source's own.
            FieldSpec::setting("repository", "Repository", "name of the repository").also(&["name"]),
        ],
        variants: &[],
        credentials_url: Some("https://github.com/settings/tokens"),
        also: &["gh"],
    },
    TypeSpec {
        name: "slack",
        title: "Slack",
        category: Category::Communication,
        auth: AuthKind::ApiKey,
        module: Some("slack"),
        source_names: &[],
        fields: &[
            FieldSpec::secret("access_token", "Bot token", "OAuth & Permissions, Bot User OAuth Token")
                .example("xoxb-…")
                .also(&["token"])
                .earlier("SLACK_ACCESS_TOKEN"),
            FieldSpec::setting("selected_channels", "Channels", "ids of the channels; none for all")
                .kind(List)
                .optional(),
            START_DATE,
        ],
        variants: &[],
        credentials_url: Some("https://api.slack.com/apps"),
        also: &[],
    },
    TypeSpec {
        name: "notion",
        title: "Notion",
        category: Category::FilesAndStorage,
        auth: AuthKind::ApiKey,
        module: Some("notion"),
        source_names: &["notion_databases", "notion_pages"],
        fields: &[
            FieldSpec::secret(
                "api_key",
                "Integration secret",
                "of an internal integration that the pages are shared with",
            )
            .earlier("NOTION_API_KEY"),
            FieldSpec::setting("database_ids", "Databases", "list of `{id, use_name}`; none for all")
                .kind(Json)
                .optional(),
        ],
        variants: &[],
        credentials_url: Some("https://www.notion.so/my-integrations"),
        also: &[],
    },
    TypeSpec {
        name: "inbox",
        title: "E-mail Inbox (IMAP)",
        category: Category::FilesAndStorage,
        auth: AuthKind::Basic,
        module: Some("inbox"),
        source_names: &["inbox_source"],
        fields: &[
            FieldSpec::identity("host", "IMAP host", "server of the mailbox").example("imap.example.com"),
            FieldSpec::identity("email_account", "E-mail account", "name to sign in with")
                .example("me@example.com")
                .earlier("EMAIL_ACCOUNT"),
            FieldSpec::secret("password", "Password", "an app password where the provider has them").earlier("EMAIL_PASSWORD"),
            FieldSpec::setting("folder", "Folder", "folder to read").optional().default("INBOX"),
        ],
        variants: &[],
        credentials_url: None,
        also: &["imap", "email", "mail"],
    },
];
