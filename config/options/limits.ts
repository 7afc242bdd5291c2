/** The table `[limits]`: how much of a node one account may take. Those of addresses are the listeners' (listener.ts). */
import { integer, option } from '../option.ts';

export const limits = {
  'sessions-per-account': option(integer(0, 100_000).default(100), {
    doc: 'Sessions in which one account may be logged in on this node at once, over all protocols. One more is refused after its password was right: POP3 `-ERR [IN-USE]`, poppwd `500`. 0 is no limit.',
    unit: 'sessions',
  }),
} as const;
