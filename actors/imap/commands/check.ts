/** NOOP (RFC 9051 §6.1.2) and CHECK (RFC 3501 §6.4.1): they do nothing, and the view is asked for news (perform.ts). */
import type { CommandOf } from '../../../protocols/imap/command.ts';
import { done, type Handler } from '../outcome.ts';

export const noop: Handler<CommandOf<'NOOP'>> = async () => done('NOOP completed');
export const check: Handler<CommandOf<'CHECK'>> = async () => done('CHECK completed');
