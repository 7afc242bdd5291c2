/** NAMESPACE: RFC 9051 §6.3.10, RFC 2342 §5. */

import { SEPARATOR } from '../../../kernel/mailbox-name.ts';
import type { CommandOf } from '../../../protocols/imap/command.ts';
import { OTHER_USERS, SHARED } from '../names.ts';
import { done, type Handler } from '../outcome.ts';

const below = (prefix: string) => [{ prefix, delimiter: SEPARATOR }];

export const namespace: Handler<CommandOf<'NAMESPACE'>> = async () =>
  done('NAMESPACE completed', [
    {
      type: 'NAMESPACE',
      personal: below(''),
      otherUsers: below(OTHER_USERS + SEPARATOR),
      shared: below(SHARED + SEPARATOR),
    },
  ]);
