// Prints what the real node dotenv reads in the file named, as JSON.
const dotenv = require("dotenv");
const { readFileSync } = require("node:fs");

process.stdout.write(JSON.stringify(dotenv.parse(readFileSync(process.argv[1], "utf8"))));
