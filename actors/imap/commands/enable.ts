/** ENABLE: RFC 5161 §3.1, RFC 9051 §6.3.1. What is not known is passed over; what is enabled stays so. */
import type { CommandOf } from '../../../protocols/imap/command.ts';
import type { Enableable } from '../imap-session.ts';
import { done, type Handler } from '../outcome.ts';

/** By the name in upper case. */
const KNOWN: Readonly<Record<string, Enableable>> = {
  IMAP4REV2: 'IMAP4rev2',
  CONDSTORE: 'CONDSTORE',
  QRESYNC: 'QRESYNC',
};

export const enable: Handler<CommandOf<'ENABLE'>> = async ({ capabilities }, { enabled }) => {
  const asked = new Set(capabilities.flatMap((name) => (Object.hasOwn(KNOWN, name) ? [KNOWN[name]!] : [])));
  const added = [...asked].filter((each) => !enabled.has(each));
  for (const each of added) enabled.add(each);
  if (asked.has('QRESYNC')) enabled.add('CONDSTORE'); // RFC 7162 §3.2.3: the one includes the other
  return done('ENABLE completed', [{ type: 'ENABLED', capabilities: added }]);
};
