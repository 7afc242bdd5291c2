/**
 * A node known to NATS by a credentials file, as an operator's own JWTs have it, over TLS in which it shows a certificate; the
 * JWT grants what docs/nats.md grants.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connect, nkeys } from '@nats-io/transport-node';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { NatsPlace } from '../../bench/fleet/nats-process.ts';
import { documentedPermissions, hasOpenssl, writeCertificates } from '../support/nats-configuration.ts';
import { deliver, hasNats, message, retrieveAll, subjectOf, withFleet } from '../support/system.ts';

const cluster = hasNats() && hasOpenssl() ? test : test.skip;
const ANN = 'ann@example.test';
const USERS = ['node', 'init'];

type KeyPair = ReturnType<typeof nkeys.createUser>;

/** A JWT as NATS has them: `ed25519-nkey`, the claims in `nats`. */
function jwt(issuer: KeyPair, subject: KeyPair, name: string, claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = { jti: name, iat: 1_700_000_000, iss: issuer.getPublicKey(), sub: subject.getPublicKey(), name };
  const signed = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part({ ...body, nats: { version: 2, ...claims } })}`;
  return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString('base64url')}`;
}

const UNLIMITED = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
const JETSTREAM = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };

/** A server that believes an operator, and a credentials file for each user; all in the fleet's directory. */
function configuration({ port, store }: NatsPlace): string {
  const directory = dirname(store);
  const [operator, account, system] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createAccount()];
  const accountJwt = jwt(operator, account, 'HOMING', { type: 'account', limits: { ...UNLIMITED, ...JETSTREAM } });
  const systemJwt = jwt(operator, system, 'SYS', { type: 'account', limits: UNLIMITED });
  for (const name of USERS) {
    const user = nkeys.createUser();
    const { publish, subscribe } = documentedPermissions(name);
    const limits = { subs: -1, data: -1, payload: -1 };
    const claims = { type: 'user', pub: { allow: publish }, sub: { allow: subscribe }, ...limits };
    writeFileSync(
      join(directory, `${name}.creds`),
      `-----BEGIN NATS USER JWT-----\n${jwt(account, user, name, claims)}\n------END NATS USER JWT------\n\n` +
        `-----BEGIN USER NKEY SEED-----\n${Buffer.from(user.getSeed()).toString()}\n------END USER NKEY SEED------\n`,
      { mode: 0o600 },
    );
  }
  if (!existsSync(join(directory, 'ca.crt'))) writeCertificates(directory);
  return `
    listen: "127.0.0.1:${port}"
    jetstream { store_dir: "${store}" }
    tls { cert_file: "${directory}/server.crt", key_file: "${directory}/server.key", ca_file: "${directory}/ca.crt", verify: true }
    operator: "${jwt(operator, operator, 'an operator', { type: 'operator' })}"
    system_account: ${system.getPublicKey()}
    resolver: MEMORY
    resolver_preload { ${account.getPublicKey()}: "${accountJwt}", ${system.getPublicKey()}: "${systemJwt}" }
  `;
}

const access = (user: string) =>
  `credentials-file = "${user}.creds"\n` +
  'tls-ca-file = "ca.crt"\ntls-certificate-file = "server.crt"\ntls-key-file = "server.key"\n';

cluster('a node with a credentials file and a certificate of its own serves; one without is refused', () =>
  withFleet(
    {
      nodes: ['n1'],
      nats: 1,
      natsConfiguration: configuration,
      natsAccess: { node: access('node'), init: access('init') },
    },
    async (fleet, directory) => {
      const n1 = fleet.node('n1');
      await n1.ask('account.add', { name: ANN, secret: 'secret', mailHost: 'n1' });
      assert.match(await deliver(n1.lmtp, ANN, message('by credentials')), /^250/);
      assert.is((await retrieveAll(n1.pop3, ANN, 'secret')).map(subjectOf).join(), 'by credentials');
      assert.equal(
        n1.lines.filter((line) => /permission/i.test(line)),
        [],
      );
      const server = `127.0.0.1:${fleet.nats[0]!.port}`;
      const messageOf = (tls: object) =>
        connect({ servers: server, tls, reconnect: false }).then(
          () => 'it connected',
          (error: Error) => error.message,
        );
      const file = (name: string) => readFileSync(join(directory, name), 'utf8');
      const shown = { cert: file('server.crt'), key: file('server.key') };
      assert.match(await messageOf({ rejectUnauthorized: false }), /certificate|closed|disconnected/i);
      assert.match(await messageOf({ rejectUnauthorized: false, ...shown }), /Authorization/i);
    },
  ),
);

test.run();
