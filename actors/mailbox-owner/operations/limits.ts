/** How much one operation may be about: what keeps a step of the writer short, for nobody in the mailHost is served meanwhile. */

/** Messages named by one store-flags, that are there. */
export const MOST_STORED_AT_ONCE = 1_000;
/** Messages removed by one expunge. */
export const MOST_EXPUNGED_AT_ONCE = 1_000;
/** Messages named by one copy, that are there; all or none of them are copied. */
export const MOST_COPIED_AT_ONCE = 1_000;
/** Messages in one append. */
export const MOST_APPENDED_AT_ONCE = 500;
