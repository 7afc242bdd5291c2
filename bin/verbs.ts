/** The verbs that a node has whether it serves or not: those over its directory. */
import { accountVerbs } from '../admin/account-verbs.ts';
import type { Verbs } from '../admin/control.ts';
import type { Config } from '../config/schema.ts';
import type { Ground } from './ground.ts';

export function verbsOf(config: Config, ground: Ground): Verbs {
  let operations = 0;
  const known = () => ground.leases.list().map((lease) => lease.mailHost);
  return accountVerbs({
    directory: ground.directory,
    defaultDomain: config.defaultDomain,
    credentials: { iterations: config.password.scramIterations, keepPlain: config.password.keepPlaintext },
    nextOperation: () => `${ground.startId}.admin.${++operations}`,
    defaultMailHost: config.mailHosts[0]!,
    knowsMailHost: (mailHost) => config.mailHosts.includes(mailHost) || known().includes(mailHost),
  });
}
