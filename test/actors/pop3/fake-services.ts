/** A house of one account for POP3 tests, and a log of what was asked of it. */
import { createHash } from 'node:crypto';
import type { Credentials, LogIn, Retrieved, Services } from '../../../actors/pop3/services.ts';
import { type Pop3Options, pop3Protocol } from '../../../actors/pop3/session.ts';
import type { Protocol } from '../../../actors/session.ts';
import { accept, refuse } from '../../../kernel/result.ts';
import { silentConnectionLog } from '../../../telemetry/connection-log.ts';
import { type Log, silentLog } from '../../../telemetry/log.ts';

export type FakeHouse = {
  readonly services: Services;
  /** `logIn`, `retrieve 11`, `expunge 11,13`, `leave`, in their order. */
  readonly asked: string[];
  /** Resolves when that was asked. */
  until(asked: string): Promise<void>;
};

export type FakeOptions = {
  readonly messages?: readonly string[];
  /** Waited for before that question is answered. */
  readonly holdUp?: (asked: string) => Promise<void> | undefined;
  /** Takes the place of the messages' bodies. */
  readonly body?: (uid: number) => AsyncIterable<Uint8Array>;
};

/** Of 120 and 200 octets, as in RFC 1939 §10; one has a line that must be stuffed. */
export const exampleMessages: readonly string[] = [
  `Subject: one\r\n\r\n.${'1'.repeat(101)}\r\n`,
  `Subject: two\r\n\r\n${'1'.repeat(80)}\r\n${'2'.repeat(100)}\r\n`,
];

const SECRET = 'tanstaaf';

export function fakeHouse(options: FakeOptions = {}): FakeHouse {
  const messages = options.messages ?? exampleMessages;
  const asked: string[] = [];
  let told: () => void = () => {};
  const ask = async (what: string): Promise<void> => {
    asked.push(what);
    told();
    await options.holdUp?.(what);
  };
  const begin: Services['begin'] = () => {
    let name = '';
    return {
      async logIn(credentials): Promise<LogIn> {
        await ask('logIn');
        ({ name } = credentials);
        if (name === 'faulty') throw new Error('the authenticator is broken');
        if (!isRight(credentials)) return refuse('bad-credentials');
        if (name === 'busy') return refuse('in-use');
        if (name === 'hasty') return refuse('too-soon');
        if (name === 'unavailable' || name === 'broken') return refuse(name);
        if (name === 'lost')
          return accept({
            account: name,
            accountId: `id of ${name}`,
            uidValidity: 7,
            entries: [1, 2, 3].map((uid) => ({ uid, sizeOctets: 10 })),
          });
        const entries = messages.map((text, index) => ({ uid: 11 + 2 * index, sizeOctets: Buffer.byteLength(text) }));
        return accept({ account: name, accountId: `id of ${name}`, uidValidity: 7, entries });
      },
      async retrieve(uid): Promise<Retrieved> {
        await ask(`retrieve ${uid}`);
        if (name === 'lost' && uid === 1) return refuse('gone');
        if (name === 'lost' && uid === 2) return refuse('unavailable');
        if (name === 'lost') throw new Error('the owner is broken');
        return accept({ body: options.body?.(uid) ?? inPieces(messages[(uid - 11) / 2]!) });
      },
      async expunge(uids) {
        await ask(`expunge ${uids.join()}`);
        return name === 'lost' ? refuse('lock-lost') : accept(null);
      },
      leave: () => ask('leave'),
    };
  };
  return {
    services: { begin },
    asked,
    async until(what) {
      while (!asked.includes(what)) await new Promise<void>((resolve) => (told = resolve));
    },
  };
}

/** The account is mrose's; others are there to be refused after the right secret. */
function isRight({ name, proof }: Credentials): boolean {
  if (name === 'nobody') return false;
  if (proof.mechanism === 'PLAIN') return proof.secret === SECRET;
  return (
    proof.digest ===
    createHash('md5')
      .update(proof.timestamp + SECRET)
      .digest('hex')
  );
}

export async function* inPieces(text: string, octets = 7): AsyncIterable<Uint8Array> {
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += octets) yield bytes.subarray(at, at + octets);
}

export const pop3 = (services: Services, log: Log = silentLog, more: Partial<Pop3Options> = {}): Protocol =>
  pop3Protocol({
    defaultDomain: 'example.test',
    connectionLog: silentConnectionLog,
    product: 'Homing',
    version: '0.1.0',
    hostName: 'mail.example.test',
    loginFailures: 3,
    cleartextLogin: true,
    loginDelayMs: 0,
    services,
    log,
    ...more,
  });
