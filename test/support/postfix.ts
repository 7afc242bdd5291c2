/**
 * A Postfix of a test's own: an instance in a temporary directory with its queue, its log and its processes, that takes mail on
 * loopback and knows one way out, LMTP to one place of loopback. No service in it could send elsewhere.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PortPicker } from '../../bench/fleet/port-picker.ts';
import { hasProgram, type Ran, runProgram } from './programs.ts';

/** Why there can be no Postfix here; undefined when there can. */
export function postfixIsMissing(): string | undefined {
  if (!hasProgram('postfix') || !hasProgram('smtp-source')) return 'Postfix is not installed';
  if (process.getuid?.() !== 0) return 'Postfix starts as root only';
  if (spawnSync('id', ['postfix']).status !== 0) return 'there is no user postfix';
  return undefined;
}

export type PostfixOptions = {
  /** Where all mail goes. */
  readonly lmtpPort: number;
  /** PEM; the LMTP server must show a certificate for `localhost` that it issued. */
  readonly authorityFile: string;
};

/** Its services are those that take, keep and deliver by LMTP: there is none for SMTP outwards. */
const SERVICES = [
  'pickup    unix  n - n 60 1 pickup',
  'cleanup   unix  n - n - 0 cleanup',
  'qmgr      unix  n - n 1 1 qmgr',
  'tlsmgr    unix  - - n 1000? 1 tlsmgr',
  'rewrite   unix  - - n - - trivial-rewrite',
  'bounce    unix  - - n - 0 bounce',
  'defer     unix  - - n - 0 bounce',
  'trace     unix  - - n - 0 bounce',
  'verify    unix  - - n - 1 verify',
  'flush     unix  n - n 1000? 0 flush',
  'proxymap  unix  - - n - - proxymap',
  'error     unix  - - n - - error',
  'retry     unix  - - n - - error',
  'lmtp      unix  - - n - - lmtp',
  'anvil     unix  - - n - 1 anvil',
  'scache    unix  - - n - 1 scache',
  'showq     unix  n - n - - showq',
  'postlog   unix-dgram n - n - 1 postlogd',
];

export class Postfix {
  readonly #directory: string;
  readonly #port: number;

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.#port = port;
  }

  static async start(options: PostfixOptions): Promise<Postfix> {
    const directory = mkdtempSync(join(tmpdir(), 'homing-postfix-'));
    const postfix = new Postfix(directory, await new PortPicker().next());
    try {
      postfix.#write(options);
      const started = await postfix.#command('postfix', 'start');
      process.once('exit', postfix.#leaveNothing); // a test that fails hard may never come to its `stop`
      if (started.status !== 0) throw new Error(`postfix start: ${started.status}\n${started.all}\n${postfix.log()}`);
      return postfix;
    } catch (error) {
      await postfix.stop();
      throw error;
    }
  }

  /** Sends messages to one recipient through its SMTP port: a fifth of them at once, with pauses of a second. */
  async inject(count: number, recipient: string): Promise<void> {
    const { status, all } = await runProgram(
      [
        ...[
          'smtp-source',
          '-s',
          String(Math.min(count, Math.ceil(count / 5))),
          '-w',
          '1',
          '-l',
          '3000',
          '-m',
          String(count),
        ],
        ...['-M', 'source.example.test', '-f', 'sender@example.test', '-t', recipient, `inet:127.0.0.1:${this.#port}`],
      ],
      { withinMs: 300_000 },
    );
    if (status !== 0) throw new Error(`smtp-source: ${status}\n${all}`);
  }

  log(): string {
    const file = join(this.#directory, 'log', 'maillog');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** How often the log says so: `sent`, `deferred`, `bounced`. */
  count(status: 'sent' | 'deferred' | 'bounced'): number {
    return this.log().split(` status=${status} `).length - 1;
  }

  /** The queue ids of what it sent to a recipient, as its log has them; `Received:` of each message holds its id. */
  sentTo(recipient: string): readonly string[] {
    return this.log()
      .split('\n')
      .filter((line) => line.includes(` to=<${recipient}>,`) && line.includes(' status=sent '))
      .map((line) => /\]: ([0-9A-Za-z]+): to=</.exec(line)?.[1] ?? line);
  }

  /** Tries at once what waits. */
  async flush(): Promise<void> {
    await this.#command('postqueue', '-f');
  }

  async isEmpty(): Promise<boolean> {
    return /^Mail queue is empty$/m.test((await this.#command('postqueue', '-p')).out);
  }

  async stop(): Promise<void> {
    if (existsSync(join(this.#directory, 'etc', 'main.cf'))) await this.#command('postfix', 'stop');
    process.off('exit', this.#leaveNothing);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #leaveNothing = (): void => {
    const file = join(this.#directory, 'queue', 'pid', 'master.pid');
    if (existsSync(file)) process.kill(Number(readFileSync(file, 'utf8')), 'SIGTERM'); // it ends those that it started
  };

  #command(program: string, word: string): Promise<Ran> {
    return runProgram([program, '-c', join(this.#directory, 'etc'), word]);
  }

  #write({ lmtpPort, authorityFile }: PostfixOptions): void {
    const place = (name: string) => join(this.#directory, name);
    chmodSync(this.#directory, 0o755); // its processes run as the user postfix
    for (const name of ['etc', 'queue', 'data', 'log']) {
      mkdirSync(place(name));
      chmodSync(place(name), 0o755); // whatever the umask
    }
    const idOf = (flag: string) => Number(String(spawnSync('id', [flag, 'postfix']).stdout));
    chownSync(place('data'), idOf('-u'), idOf('-g'));
    writeFileSync(place('authority.pem'), readFileSync(authorityFile)); // where that user can read it
    writeFileSync(
      place('etc/main.cf'),
      Object.entries({
        compatibility_level: '3.6',
        queue_directory: place('queue'),
        data_directory: place('data'),
        maillog_file: place('log/maillog'),
        maillog_file_prefixes: this.#directory,
        command_directory: '/usr/sbin',
        daemon_directory: '/usr/lib/postfix/sbin',
        mail_owner: 'postfix',
        setgid_group: 'postdrop',
        myhostname: 'relay.example.test',
        enable_long_queue_ids: 'yes', // else one is used again
        inet_interfaces: '127.0.0.1',
        inet_protocols: 'ipv4',
        smtp_dns_support_level: 'disabled',
        lmtp_host_lookup: 'native',
        mydestination: '',
        local_recipient_maps: '',
        local_transport: 'error:nothing is local',
        alias_maps: '',
        alias_database: '',
        mynetworks: '127.0.0.0/8',
        smtpd_relay_restrictions: 'permit_mynetworks, reject',
        smtpd_client_connection_count_limit: '0',
        default_transport: `lmtp:inet:127.0.0.1:${lmtpPort}`,
        relay_transport: '$default_transport',
        lmtp_tls_security_level: 'secure',
        lmtp_tls_secure_cert_match: 'localhost',
        lmtp_tls_CAfile: place('authority.pem'),
        lmtp_tls_loglevel: '1',
        queue_run_delay: '1s',
        minimal_backoff_time: '1s',
        maximal_backoff_time: '2s',
        transport_retry_time: '1s',
        lmtp_connect_timeout: '5s',
        lmtp_connection_reuse_time_limit: '3s', // so that a drained node sees the last of it soon
      })
        .map(([name, value]) => `${name} = ${value}\n`)
        .join(''),
    );
    const smtpd = `127.0.0.1:${this.#port} inet n - n - - smtpd`;
    writeFileSync(place('etc/master.cf'), `${[smtpd, ...SERVICES].join('\n')}\n`);
    for (const name of ['authority.pem', 'etc/main.cf', 'etc/master.cf']) chmodSync(place(name), 0o644);
  }
}
