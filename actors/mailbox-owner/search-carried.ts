/**
 * Searches between two requests of theirs: what took long to make of a program, and of the mailbox as it was when the search
 * began, is made once for all its requests. Anything may be forgotten here at any time; it is then made again.
 */
import type { Lately } from './search-blocks.ts';
import type { Matchers } from './search-content.ts';
import type { Plan } from './search-program.ts';

export type Carried = {
  /** The mailbox and the program as one text: what makes two requests those of one search. */
  readonly text: string;
  readonly plan: Plan;
  /** Looked up when the search began; undefined: not yet. */
  lately?: Lately | null;
  /** Made when the first message had to be read. */
  matchers?: Matchers;
};

/** Searches kept, and how long their programs are together: what is made of one takes some fifty times as much. */
const MOST_CARRIED = 256;
const MOST_CARRIED_UNITS = 1024 * 1024;

export class CarriedSearches {
  readonly #bySession = new Map<string, { readonly search: Carried; readonly upTo: number }>();
  #units = 0;

  /** That of the session, if it came so far with this program; it is the caller's alone until it is kept again. */
  take(session: string, text: string, afterUid: number): Carried | undefined {
    const kept = this.#bySession.get(session);
    this.#remove(session);
    return kept && kept.upTo === afterUid && kept.search.text === text ? kept.search : undefined;
  }

  keep(session: string, search: Carried, upTo: number): void {
    this.#remove(session);
    this.#bySession.set(session, { search, upTo });
    this.#units += search.text.length;
    for (const oldest of this.#bySession.keys()) {
      const isRoom = this.#bySession.size <= MOST_CARRIED && this.#units <= MOST_CARRIED_UNITS;
      if (isRoom || oldest === session) return;
      this.#remove(oldest);
    }
  }

  #remove(session: string): void {
    this.#units -= this.#bySession.get(session)?.search.text.length ?? 0;
    this.#bySession.delete(session);
  }
}
