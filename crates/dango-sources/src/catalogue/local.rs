//! The catalogue: files on this machine, generic APIs and the user's own code.

use super::FieldKind::{Json, List, Multiline};
use super::{AuthKind, Category, FieldSpec, TypeSpec, Variant};

const DIRECTORY: FieldSpec =
    FieldSpec::setting("directory", "Directory", "folder of the files, from the project's root").default("data/uploads");
const FILE_PATTERN: FieldSpec = FieldSpec::setting("file_pattern", "File pattern", "which files to load").default("*.csv");

pub(super) static TYPES: &[TypeSpec] = &[
    TypeSpec {
        name: "csv",
        title: "CSV Files",
        category: Category::LocalAndCustom,
        auth: AuthKind::None,
        module: None,
        source_names: &[],
        fields: &[DIRECTORY, FILE_PATTERN],
        variants: &[],
        credentials_url: None,
        also: &[],
    },
    TypeSpec {
        name: "local_files",
        title: "Local Files",
        category: Category::LocalAndCustom,
        auth: AuthKind::None,
        module: None,
        source_names: &[],
        fields: &[DIRECTORY, FILE_PATTERN],
        variants: &[],
        credentials_url: None,
        also: &["files", "parquet", "excel"],
    },
    TypeSpec {
        name: "dlt_native",
        title: "dlt Native Source",
        category: Category::LocalAndCustom,
        auth: AuthKind::None,
        module: None,
        source_names: &[],
        fields: &[
            FieldSpec::setting("source_module", "Python module", "module that defines the source").example("my_source"),
            FieldSpec::setting("source_function", "Source function", "function to call in that module").example("my_source"),
            FieldSpec::secret("api_key", "API key", "where the source takes one").optional(),
        ],
        variants: &[],
        credentials_url: None,
        also: &["dlt", "custom", "python"],
    },
    TypeSpec {
        name: "filesystem",
        title: "Files & Cloud Storage",
        category: Category::LocalAndCustom,
        auth: AuthKind::ServiceAccount,
        module: Some("filesystem"),
        source_names: &["readers"],
        fields: &[
            FieldSpec::setting("bucket_url", "Bucket URL", "folder or bucket to read").example("s3://my-bucket/data/"),
            FieldSpec::setting("file_glob", "File pattern", "which files to load").default("**/*.parquet"),
            FieldSpec::identity("aws_access_key_id", "Access key id", "IAM, Users, Security credentials")
                .in_credentials()
                .example("AKIA…"),
            FieldSpec::secret("aws_secret_access_key", "Secret access key", "shown once, when the key is made").in_credentials(),
            FieldSpec::secret("aws_session_token", "Session token", "only with temporary credentials").in_credentials(),
            FieldSpec::identity("region_name", "Region", "region of the bucket")
                .in_credentials()
                .example("eu-central-1"),
            FieldSpec::identity("endpoint_url", "Endpoint URL", "only for storage that speaks S3 elsewhere")
                .in_credentials()
                .example("https://minio.example.com"),
            FieldSpec::identity("project_id", "Project id", "`project_id` of the service account's JSON key").in_credentials(),
            FieldSpec::identity("client_email", "Client e-mail", "`client_email` of the service account's JSON key").in_credentials(),
            FieldSpec::secret(
                "private_key",
                "Private key",
                "`private_key` of the service account's JSON key, with real line breaks",
            )
            .in_credentials()
            .kind(Multiline),
            FieldSpec::identity("azure_storage_account_name", "Storage account", "name of the storage account").in_credentials(),
            FieldSpec::secret("azure_storage_account_key", "Account key", "Storage account, Access keys").in_credentials(),
            FieldSpec::secret("azure_storage_sas_token", "SAS token", "Storage account, Shared access signature").in_credentials(),
            FieldSpec::identity("azure_tenant_id", "Tenant id", "of the service principal").in_credentials(),
            FieldSpec::identity("azure_client_id", "Client id", "of the service principal").in_credentials(),
            FieldSpec::secret("azure_client_secret", "Client secret", "of the service principal").in_credentials(),
        ],
        variants: &[
            Variant {
                name: "none",
                title: "Local folder, public bucket or the machine's own identity",
                needs: &[],
                takes: &[],
            },
            Variant {
                name: "s3",
                title: "Amazon S3",
                needs: &["aws_access_key_id", "aws_secret_access_key"],
                takes: &["aws_session_token", "region_name", "endpoint_url"],
            },
            Variant {
                name: "gcs",
                title: "Google Cloud Storage, service account",
                needs: &["project_id", "client_email", "private_key"],
                takes: &[],
            },
            Variant {
                name: "azure",
                title: "Azure Blob Storage, account key",
                needs: &["azure_storage_account_name", "azure_storage_account_key"],
                takes: &[],
            },
            Variant {
                name: "azure_sas",
                title: "Azure Blob Storage, SAS token",
                needs: &["azure_storage_account_name", "azure_storage_sas_token"],
                takes: &[],
            },
            Variant {
                name: "azure_principal",
                title: "Azure Blob Storage, service principal",
                needs: &[
                    "azure_storage_account_name",
                    "azure_tenant_id",
                    "azure_client_id",
                    "azure_client_secret",
                ],
                takes: &[],
            },
        ],
        credentials_url: None,
        also: &["s3", "gcs", "azure", "bucket", "cloud_storage"],
    },
    TypeSpec {
        name: "rest_api",
        title: "REST API",
        category: Category::LocalAndCustom,
        auth: AuthKind::ApiKey,
        module: Some("rest_api"),
        source_names: &[],
        fields: &[
            FieldSpec::setting("base_url", "Base URL", "address of the API").example("https://api.example.com"),
            FieldSpec::setting("endpoints", "Endpoints", "list of endpoint configurations").kind(Json),
            FieldSpec::setting(
                "auth_type",
                "Authentication",
                "bearer, api_key, basic, oauth2_client_credentials or none",
            )
            .optional(),
            FieldSpec::secret("token", "Bearer token", "sent as `Authorization: Bearer`"),
            FieldSpec::secret("api_key", "API key", "sent in a header or the query"),
            FieldSpec::identity("username", "User name", "for HTTP Basic"),
            FieldSpec::secret("password", "Password", "for HTTP Basic"),
            FieldSpec::identity("access_token_url", "Token URL", "where the client asks for its token")
                .example("https://auth.example.com/oauth/token"),
            FieldSpec::identity("client_id", "Client id", "of the OAuth 2.0 client"),
            FieldSpec::secret("client_secret", "Client secret", "of the OAuth 2.0 client"),
        ],
        variants: &[
            Variant {
                name: "bearer",
                title: "Bearer token",
                needs: &["token"],
                takes: &[],
            },
            Variant {
                name: "api_key",
                title: "API key",
                needs: &["api_key"],
                takes: &[],
            },
            Variant {
                name: "basic",
                title: "User name and password",
                needs: &["username", "password"],
                takes: &[],
            },
            Variant {
                name: "oauth2_client_credentials",
                title: "OAuth 2.0 client credentials",
                needs: &["access_token_url", "client_id", "client_secret"],
                takes: &[],
            },
        ],
        credentials_url: None,
        also: &["api", "http", "rest"],
    },
    TypeSpec {
        name: "chess",
        title: "Chess.com",
        category: Category::Other,
        auth: AuthKind::None,
        module: Some("chess"),
        source_names: &[],
        fields: &[FieldSpec::setting("players", "Players", "names of the players to load")
            .kind(List)
            .example("magnuscarlsen, hikaru")],
        variants: &[],
        credentials_url: None,
        also: &[],
    },
];
