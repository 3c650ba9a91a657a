import fs from "node:fs";
import { runSql, startPostgres } from "./postgres.ts";
import { end, folderOf, freePort, type Running, start, userNamed } from "./running.ts";

const SCHEMA = "/usr/share/ejabberd/sql/pg.sql";
/** Accounts user0, user1, …: more than a process may have files open. */
const ACCOUNTS = 20_000;
const PASSWORD = "parley";
/** Limits that Debian's ejabberdctl sets too, raised where a load needs it. */
const ERLANG_FLAGS = ["+K", "true", "+P", "500000", "+Q", "65536"];

/**
 * ejabberd as somebody sets it up who wants to keep messages: accounts, offline messages and the archive (MAM) in
 * PostgreSQL, stream management on. Without a name in an Erlang cluster, so that it leaves no port mapper behind.
 */
export async function startEjabberd(folder: string): Promise<Running> {
  const postgres = await startPostgres(folder);
  try {
    return await startOn(postgres, folder);
  } catch (cause) {
    await end(postgres.pids);
    throw cause;
  }
}

async function startOn(postgres: Running, folder: string): Promise<Running> {
  runSql(postgres, fs.readFileSync(SCHEMA, "utf8"));
  runSql(
    postgres,
    `INSERT INTO users (username, password)
     SELECT 'user' || n, '${PASSWORD}' FROM generate_series(0, ${ACCOUNTS - 1}) n`,
  );
  const user = userNamed("ejabberd");
  const home = folderOf(user, `${folder}/ejabberd`);
  const port = await freePort();
  const config = `${home}/ejabberd.yml`;
  fs.writeFileSync(config, configuration(port, postgres.port));
  const env = {
    HOME: home,
    ERL_LIBS: "/usr/lib/x86_64-linux-gnu",
    ERL_MAX_PORTS: "65536",
    EJABBERD_CONFIG_PATH: config,
    EJABBERD_LOG_PATH: `${home}/ejabberd.log`,
  };
  const command = [
    "erl",
    ...ERLANG_FLAGS,
    "-mnesia",
    "dir",
    `"${home}"`,
    "-s",
    "ejabberd",
    "-noinput",
  ];
  const pid = await start(command, { user, folder: home, env, port });
  return {
    name: "ejabberd",
    port,
    pids: [pid, ...postgres.pids],
    dataFolders: postgres.dataFolders,
    details: { domain: "localhost", password: PASSWORD, accounts: ACCOUNTS },
  };
}

const configuration = (port: number, sqlPort: number) => `
hosts: [localhost]
loglevel: warning
auth_method: [sql]
auth_password_format: plain
default_db: sql
sql_type: pgsql
sql_server: 127.0.0.1
sql_port: ${sqlPort}
sql_database: parley
sql_username: parley
sql_password: parley
listen:
  - port: ${port}
    ip: 127.0.0.1
    module: ejabberd_c2s
    max_stanza_size: 262144
    shaper: none
    access: all
acl:
  local:
    user_regexp: ""
access_rules:
  c2s:
    allow: all
shaper_rules:
  max_user_offline_messages: 1000000
  max_user_sessions: 10
modules:
  mod_mam:
    db_type: sql
    default: always
  mod_offline:
    db_type: sql
    access_max_user_messages: max_user_offline_messages
  mod_stream_mgmt:
    max_ack_queue: 100000
`;
