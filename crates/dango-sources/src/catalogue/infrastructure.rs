//! The catalogue: databases, streams, and what fits no other group.

use super::FieldKind::{Boolean, Date, Integer, List};
use super::{AuthKind, Category, FieldSpec, TypeSpec, Variant};

// dlt reads the parts below `credentials`; flat ones, as earlier documentation shows them, it does not find.
const HOST: FieldSpec = FieldSpec::identity("host", "Host", "server of the database")
    .in_credentials()
    .example("db.example.com");
const DATABASE: FieldSpec = FieldSpec::identity("database", "Database", "name of the database").in_credentials();
const USERNAME: FieldSpec = FieldSpec::identity("username", "User name", "best a user that may only read").in_credentials();
const PASSWORD: FieldSpec = FieldSpec::secret("password", "Password", "of that user").in_credentials();
const PORT: FieldSpec = FieldSpec::identity("port", "Port", "port of the server")
    .in_credentials()
    .kind(Integer);
const DRIVER: FieldSpec = FieldSpec::identity("drivername", "Driver", "name of the SQLAlchemy driver").in_credentials();
const URL: FieldSpec = FieldSpec::secret("credentials", "Connection URL", "name, password, host and database in one URL");
const SCHEMA: FieldSpec = FieldSpec::setting("schema", "Schema", "schema to load tables from").optional();
const TABLES: FieldSpec = FieldSpec::setting("table_names", "Tables", "tables to load; none for all")
    .kind(List)
    .optional();

const DATABASE_VARIANTS: &[Variant] = &[
    Variant {
        name: "parts",
        title: "Host, database, user and password",
        needs: &["host", "database", "username", "password"],
        takes: &["port", "drivername"],
    },
    Variant {
        name: "url",
        title: "Connection URL",
        needs: &["credentials"],
        takes: &[],
    },
];

pub(super) static TYPES: &[TypeSpec] = &[
    TypeSpec {
        name: "mongodb",
        title: "MongoDB",
        category: Category::Databases,
        auth: AuthKind::ConnectionString,
        module: Some("mongodb"),
        source_names: &[],
        fields: &[
            FieldSpec::secret("connection_url", "Connection URL", "name and password in it")
                .example("mongodb://user:password@host:27017/database")
                .earlier("MONGODB_CONNECTION_URL"),
            FieldSpec::setting("database", "Database", "none for the URL's own").optional(),
            FieldSpec::setting("collection_names", "Collections", "collections to load; none for all")
                .kind(List)
                .optional(),
            FieldSpec::setting("parallel", "Parallel", "load collections side by side")
                .kind(Boolean)
                .optional(),
        ],
        variants: &[],
        credentials_url: None,
        also: &["mongo"],
    },
    TypeSpec {
        name: "postgres",
        title: "PostgreSQL",
        category: Category::Databases,
        auth: AuthKind::ConnectionString,
        module: Some("sql_database"),
        source_names: &[],
        fields: &[
            HOST,
            PORT.default("5432"),
            DATABASE,
            USERNAME.also(&["user"]),
            PASSWORD,
            DRIVER.default("postgresql"),
            URL.example("postgresql://user:password@host:5432/database")
                .earlier("POSTGRES_CREDENTIALS"),
            SCHEMA,
            TABLES,
        ],
        variants: DATABASE_VARIANTS,
        credentials_url: None,
        also: &["postgresql", "pg", "sql_database"],
    },
    TypeSpec {
        name: "mysql",
        title: "MySQL",
        category: Category::Databases,
        auth: AuthKind::ConnectionString,
        module: Some("sql_database"),
        source_names: &[],
        fields: &[
            HOST,
            PORT.default("3306"),
            DATABASE,
            USERNAME.also(&["user"]),
            PASSWORD,
            DRIVER.default("mysql+pymysql"),
            URL.example("mysql+pymysql://user:password@host:3306/database")
                .earlier("MYSQL_CREDENTIALS"),
            SCHEMA,
            TABLES,
        ],
        variants: DATABASE_VARIANTS,
        credentials_url: None,
        also: &["mariadb"],
    },
    TypeSpec {
        name: "kafka",
        title: "Apache Kafka",
        category: Category::Streaming,
        auth: AuthKind::Basic,
        module: Some("kafka"),
        source_names: &["kafka_messages"],
        // dlt's `KafkaCredentials` resolves with all six only, whatever the protocol.
        fields: &[
            FieldSpec::identity("bootstrap_servers", "Bootstrap servers", "brokers to begin with")
                .in_credentials()
                .also(&["bootstrap.servers"])
                .example("localhost:9092"),
            FieldSpec::identity("group_id", "Group id", "consumer group")
                .in_credentials()
                .also(&["group.id"])
                .default("dango"),
            FieldSpec::identity(
                "security_protocol",
                "Security protocol",
                "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
            )
            .in_credentials()
            .also(&["security.protocol"])
            .default("SASL_SSL"),
            FieldSpec::identity("sasl_mechanisms", "SASL mechanism", "PLAIN or SCRAM-SHA-256, for example")
                .in_credentials()
                .also(&["sasl.mechanisms"])
                .default("PLAIN"),
            FieldSpec::identity("sasl_username", "SASL user name", "name or API key")
                .in_credentials()
                .also(&["sasl.username"]),
            FieldSpec::secret("sasl_password", "SASL password", "password or API secret")
                .in_credentials()
                .also(&["sasl.password"]),
            FieldSpec::setting("topics", "Topics", "topics to read").kind(List),
            FieldSpec::setting("batch_size", "Batch size", "messages per request")
                .kind(Integer)
                .optional(),
            FieldSpec::setting("batch_timeout", "Batch timeout", "longest wait for a batch, in seconds")
                .kind(Integer)
                .optional(),
            FieldSpec::setting("start_from", "Start from", "time of the first message")
                .kind(Date)
                .optional(),
        ],
        variants: &[],
        credentials_url: None,
        also: &[],
    },
    TypeSpec {
        name: "kinesis",
        title: "Amazon Kinesis",
        category: Category::Streaming,
        auth: AuthKind::ServiceAccount,
        module: Some("kinesis"),
        source_names: &["kinesis_stream"],
        fields: &[
            FieldSpec::identity("aws_access_key_id", "Access key id", "IAM, Users, Security credentials")
                .in_credentials()
                .example("AKIA…"),
            FieldSpec::secret("aws_secret_access_key", "Secret access key", "shown once, when the key is made").in_credentials(),
            FieldSpec::secret("aws_session_token", "Session token", "only with temporary credentials")
                .in_credentials()
                .optional(),
            FieldSpec::identity("region_name", "Region", "region of the stream")
                .in_credentials()
                .default("us-east-1"),
            FieldSpec::setting("stream_name", "Stream", "name of the stream"),
            FieldSpec::setting("initial_at_timestamp", "Start from", "time of the first record; 0 for the oldest").optional(),
            FieldSpec::setting("chunk_size", "Chunk size", "records per request")
                .kind(Integer)
                .optional(),
            FieldSpec::setting("parse_json", "Parse JSON", "read each record as JSON")
                .kind(Boolean)
                .optional(),
        ],
        variants: &[],
        credentials_url: Some("https://console.aws.amazon.com/iam/"),
        also: &["aws_kinesis"],
    },
    TypeSpec {
        name: "strapi",
        title: "Strapi",
        category: Category::Other,
        auth: AuthKind::ApiKey,
        module: Some("strapi"),
        source_names: &["strapi_source"],
        fields: &[
            FieldSpec::identity("domain", "Domain", "host of the Strapi installation").example("cms.example.com"),
            FieldSpec::secret("api_secret_key", "API token", "Settings, API Tokens")
                .also(&["api_key"])
                .earlier("STRAPI_API_SECRET_KEY"),
            FieldSpec::setting("endpoints", "Endpoints", "collections to load")
                .kind(List)
                .example("posts, articles"),
        ],
        variants: &[],
        credentials_url: None,
        also: &[],
    },
    TypeSpec {
        name: "personio",
        title: "Personio",
        category: Category::Other,
        auth: AuthKind::ApiKey,
        module: Some("personio"),
        source_names: &[],
        fields: &[
            FieldSpec::identity("client_id", "Client id", "Settings, Integrations, API credentials").earlier("PERSONIO_CLIENT_ID"),
            FieldSpec::secret("client_secret", "Client secret", "made with the client id").earlier("PERSONIO_CLIENT_SECRET"),
        ],
        variants: &[],
        credentials_url: None,
        also: &[],
    },
];
