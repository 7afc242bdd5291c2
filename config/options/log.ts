/** The table `[log]`: the server log. */
import { choice, option, text } from '../option.ts';

export const log = {
  level: option(choice(['debug', 'info', 'warn', 'error']).default('info'), {
    doc: 'The least urgent level that is written.',
  }),
  format: option(choice(['text', 'json']).default('text'), { doc: 'Lines for people, or one JSON object a line.' }),
  destination: option(text(/^[^\u0000]+$/, '"stderr" or a path', '`"stderr"` or path').default('stderr'), {
    doc: 'Standard error, or a file that is appended to.',
    example: './var/n1/log/homing.log',
  }),
} as const;
