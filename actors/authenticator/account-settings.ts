/** An account's settings as an operator writes them, `key=value`: the words, their values and what is wrong with one. */
import type { AccountStatus } from '../../cluster/directory/account.ts';
import { accept, type Result, refuse } from '../../kernel/result.ts';
import type { AccountEdit } from './accounts.ts';

const STATUSES: readonly AccountStatus[] = ['active', 'noaccess', 'disabled', 'deleted'];

type Reader = (text: string) => Result<AccountEdit, string>;

/** `none` has no limit of its own, so that the configuration's holds; 0 is no limit at all. */
const limit =
  (key: 'quotaOctets' | 'quotaMessages' | 'sizeLimitOctets'): Reader =>
  (text) => {
    if (text === 'none') return accept({ settings: { [key]: undefined } });
    const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(value)
      ? accept({ settings: { [key]: value } })
      : refuse('a whole number, 0 for no limit, or `none`');
  };

const READERS: Readonly<Record<string, Reader>> = {
  status: (text) => {
    const status = STATUSES.find((each) => each === text);
    return status === undefined ? refuse(`one of ${STATUSES.join(', ')}`) : accept({ status });
  },
  'quota-octets': limit('quotaOctets'),
  'quota-messages': limit('quotaMessages'),
  'size-limit': limit('sizeLimitOctets'),
  'password-change': (text) =>
    text === 'true' || text === 'false'
      ? accept({ settings: { passwordChange: text === 'true' } })
      : refuse('`true` or `false`'),
};

/** All that `account set` takes; `mail-host` is moveAccount's. */
const SETTINGS = [...Object.keys(READERS), 'mail-host'];

/** @returns the edit that the words mean, or one sentence about the first that means none */
export function readAccountEdit(words: Readonly<Record<string, string>>): Result<AccountEdit, string> {
  let edit: AccountEdit = {};
  for (const [key, text] of Object.entries(words)) {
    const reader = Object.hasOwn(READERS, key) ? READERS[key]! : undefined;
    if (reader === undefined) return refuse(`${key}: no such setting; there are ${SETTINGS.join(', ')}`);
    const read = reader(text);
    if (!read.ok) return refuse(`${key}: ${JSON.stringify(text)} is not allowed: must be ${read.refusal}`);
    edit = { ...edit, ...read.value, settings: { ...edit.settings, ...read.value.settings } };
  }
  return accept(edit);
}
