/** The table `[connection-log]`: who connected and logged in, for operators and what counts (docs/logs.md). */
import { choice, list, option, text } from '../option.ts';

export const connectionLog = {
  destination: option(text(/^[^\u0000]+$/, '"off" or a path', '`"off"` or path').default('off'), {
    doc: 'A file that is appended to, and opened anew when it was renamed; or `"off"`.',
    example: './var/n1/log/connection.log',
  }),
  protocols: option(
    list(choice(['pop3', 'imap', 'poppwd']), 'list of protocols', 'a list of "pop3", "imap" and "poppwd"').default([
      'pop3',
      'imap',
      'poppwd',
    ]),
    { doc: 'Whose connections are logged. LMTP has no log-ins and is never logged here.' },
  ),
} as const;
