/** What a configuration may say but had better not. Pure; for the log of a node that starts. */
import { printProblem } from './problem.ts';
import type { Config } from './schema.ts';
import { printDuration } from './units.ts';

/** @returns a line `file: key: what is unwise` for each */
export const configWarnings = (config: Config, file: string): readonly string[] => [
  ...shortTimeouts(config, file),
  ...uselessListeners(config, file),
  ...unheardOperators(config, file),
];

function shortTimeouts(config: Config, file: string): readonly string[] {
  const least = [
    ['pop3', 600_000, 'RFC 1939 §3 wants'],
    ['imap', 1_800_000, 'RFC 9051 §5.4 wants'],
    ['lmtp', 300_000, 'RFC 5321 §4.5.3.2.7 wants'],
    ['poppwd', 300_000, 'clients count on'],
  ] as const;
  return least
    .filter(([table, leastMs]) => config[table].idleTimeoutMs < leastMs)
    .map(([table, leastMs, who]) => {
      const text = `${printDuration(config[table].idleTimeoutMs)} is short: ${who} at least ${printDuration(leastMs)}`;
      return printProblem({ file, key: `${table}.idle-timeout`, text });
    });
}

/** poppwd has no other way to log in than to show the password. */
const uselessListeners = ({ cleartextLoginEnable, listeners }: Config, file: string): readonly string[] =>
  listeners.flatMap(({ protocol, tls, place }, index) =>
    cleartextLoginEnable || protocol !== 'poppwd' || tls === 'implicit' || 'path' in place
      ? []
      : [
          printProblem({
            file,
            key: `listener#${index + 1}.tls`,
            text: 'nobody can log in here: passwords are not taken in clear (cleartext-login-enable), and poppwd has no other way',
          }),
        ],
  );

const unheardOperators = ({ admin, nats }: Config, file: string): readonly string[] =>
  admin.keysFile === undefined || nats !== undefined
    ? []
    : [
        printProblem({
          file,
          key: 'admin.keys-file',
          text: 'has no effect without [nats]: signed messages come over NATS',
        }),
      ];
