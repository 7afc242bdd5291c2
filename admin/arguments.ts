/** What a verb is given comes from a command line through a socket: every argument is looked at before it is used. */
import { cannot, type Verb } from './control.ts';

export type Given = Readonly<Record<string, unknown>>;

/** An argument that is not what it must be; `answerable` turns it into an answer. */
export class BadArgument extends Error {}

export const answerable =
  (verb: Verb): Verb =>
  async (given) => {
    try {
      return await verb(given);
    } catch (error) {
      if (error instanceof BadArgument) return cannot(error.message);
      throw error;
    }
  };

export function optionalText(given: Given, key: string): string | undefined {
  const value = given[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new BadArgument(`${key}: must be text`);
  return value;
}

export function text(given: Given, key: string): string {
  const value = optionalText(given, key);
  if (value === undefined) throw new BadArgument(`${key}: is missing`);
  return value;
}
