/** A house of one account for poppwd tests: joe@example.test, whose password can be changed. */

import type { ChangePasswordRefusal } from '../../../actors/authenticator/requests.ts';
import type { FailedLogIns } from '../../../actors/poppwd/failed-log-ins.ts';
import type { Services } from '../../../actors/poppwd/services.ts';
import { poppwdProtocol } from '../../../actors/poppwd/session.ts';
import type { Protocol } from '../../../actors/session.ts';
import { accept, refuse } from '../../../kernel/result.ts';
import { type ConnectionLog, silentConnectionLog } from '../../../telemetry/connection-log.ts';
import { type Log, silentLog } from '../../../telemetry/log.ts';

export type FakeHouse = { readonly services: Services; password(): string };

const refusals: readonly string[] = [
  'conflict',
  'not-allowed',
  'unavailable',
  'unknown',
] satisfies ChangePasswordRefusal[];

/** A new password that is the name of a refusal is refused so; `faulty` breaks. */
export function fakeHouse(): FakeHouse {
  let password = 'old password';
  return {
    password: () => password,
    services: {
      begin: () => ({
        async logIn({ name, secret }) {
          if (name === 'away') return refuse('unavailable');
          return name === 'joe@example.test' && secret === password
            ? accept({ account: name, accountId: `id of ${name}` })
            : refuse('bad-credentials');
        },
        async changePassword(newSecret) {
          if (newSecret === 'faulty') throw new Error('the directory is broken');
          if (refusals.includes(newSecret)) return refuse(newSecret as ChangePasswordRefusal);
          password = newSecret;
          return accept(null);
        },
        leave() {},
      }),
    },
  };
}

export const poppwd = (
  services: Services,
  log: Log = silentLog,
  cleartextLogin = true,
  connectionLog: ConnectionLog = silentConnectionLog,
  failedLogIns?: FailedLogIns,
): Protocol =>
  poppwdProtocol({
    failedLogIns,
    defaultDomain: 'example.test',
    connectionLog,
    product: 'Homing',
    version: '0.1.0',
    hostName: 'mail.example.test',
    loginFailures: 3,
    cleartextLogin,
    services,
    log,
  });
