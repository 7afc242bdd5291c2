/** A house of a few mailboxes for LMTP tests, and what was delivered to it. */

import type { OverQuota } from '../../../actors/lmtp/replies.ts';
import type { Delivery, Outcome, Resolved, Services } from '../../../actors/lmtp/services.ts';
import { lmtpProtocol } from '../../../actors/lmtp/session.ts';
import type { Protocol } from '../../../actors/session.ts';
import { accept, refuse } from '../../../kernel/result.ts';
import { type Log, silentLog } from '../../../telemetry/log.ts';

export type FakeHouse = {
  readonly services: Services;
  /** Each message whose content was read to its end, latin1. */
  readonly delivered: {
    readonly accounts: readonly string[];
    readonly smtputf8?: true;
    readonly reversePath: string | null;
    readonly text: string;
  }[];
  /** What a delivery's content threw. */
  readonly lost: Error[];
};

export type FakeOptions = {
  /** Takes the place of the delivery. */
  readonly deliver?: (delivery: Delivery, signal: AbortSignal) => Promise<readonly Outcome[]>;
};

/** Local parts: `jones`, `gone`, `away` and `faulty` are not resolved; `green`, `small`, `full`, `dead` and
 * `broken` not delivered to. */
export function fakeHouse(options: FakeOptions = {}): FakeHouse {
  const house: FakeHouse = {
    delivered: [],
    lost: [],
    services: {
      begin: () => ({
        async resolve({ localPart }): Promise<Resolved> {
          if (localPart === 'faulty') throw new Error('the authenticator is broken');
          if (localPart === 'jones') return refuse('no-such-user');
          if (localPart === 'gone') return refuse('disabled');
          if (localPart === 'away') return refuse('unavailable');
          return accept({
            account: `${localPart.toLowerCase()}@foo.edu`,
            accountId: localPart.toLowerCase(),
            mailHost: 'n1',
          });
        },
        deliver: options.deliver ?? ((delivery) => deliver(house, delivery)),
      }),
    },
  };
  return house;
}

async function deliver(house: FakeHouse, delivery: Delivery): Promise<readonly Outcome[]> {
  let text = '';
  try {
    for await (const bytes of delivery.content) text += Buffer.from(bytes).toString('latin1');
  } catch (lost) {
    house.lost.push(lost as Error);
    throw lost;
  }
  const accounts = delivery.recipients.map(({ account }) => account);
  if (accounts.includes('broken@foo.edu')) throw new Error('the owner is broken');
  const { reversePath } = delivery;
  house.delivered.push({
    accounts,
    ...(delivery.smtputf8 && { smtputf8: true }),
    reversePath: reversePath && `${reversePath.localPart}@${reversePath.domain}`,
    text,
  });
  return accounts.map((account) => {
    if (account === 'green@foo.edu') return refuse('over-quota');
    if (account === 'small@foo.edu') return refuse('too-large-for-user');
    if (account === 'full@foo.edu') return refuse('full');
    if (account === 'dead@foo.edu') return refuse('unavailable');
    return accept({ mailHost: 'n1', sequence: house.delivered.length });
  });
}

export type Rules = {
  readonly allow8bitheaders?: boolean;
  readonly maxOctets?: number;
  readonly maxHeaderOctets?: number;
  readonly maxRecipients?: number;
  readonly overQuota?: OverQuota;
  readonly log?: Log;
};

export const lmtp = (services: Services, { log = silentLog, ...rules }: Rules = {}): Protocol =>
  lmtpProtocol({
    product: 'Homing',
    hostName: 'foo.edu',
    maxRecipients: 100,
    maxOctets: 100_000,
    maxHeaderOctets: 50_000,
    allow8bitheaders: false,
    overQuota: 'temporary',
    ...rules,
    services,
    log,
  });
