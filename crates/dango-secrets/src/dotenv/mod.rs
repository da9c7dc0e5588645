//! `.env` files: read as python-dotenv reads them, edited byte for byte, linted for what other readers see.
