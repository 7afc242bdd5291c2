/**
 * The base subject, by which SORT and THREAD compare: RFC 5256 §2.1 and the ABNF of §5, to the letter, since clients
 * compute it too. One pass over the text, whatever it is made of.
 */

export type BaseSubject = {
  /** Decoded, in its own case; `casemap` makes it comparable. */
  readonly text: string;
  /** Something that a reply or a forward is known by was taken off (RFC 5256 §3, REFERENCES). */
  readonly isReplyOrForward: boolean;
};

/** What is left of a subject: `text` from `start` to `end`. */
type Rest = { readonly text: string; start: number; end: number; isReplyOrForward: boolean };

/** @param subject  the field's value, decoded and unfolded (step 1 begins with that) */
export function baseSubject(subject: string): BaseSubject {
  const text = subject.replace(/[\t\r\n ]+/g, ' ');
  const rest: Rest = { text, start: 0, end: text.length, isReplyOrForward: false };
  do {
    removeTrailers(rest); // step 2
    removeLeaders(rest); // steps 3 to 5
  } while (removeForward(rest)); // step 6
  return { text: text.slice(rest.start, rest.end), isReplyOrForward: rest.isReplyOrForward };
}

/** `subj-trailer = "(fwd)" / WSP` */
function removeTrailers(rest: Rest): void {
  for (;;) {
    if (rest.end > rest.start && rest.text[rest.end - 1] === ' ') rest.end -= 1;
    else if (rest.end - rest.start >= 5 && isAt(rest.text, rest.end - 5, '(fwd)')) {
      rest.end -= 5;
      rest.isReplyOrForward = true;
    } else return;
  }
}

/**
 * `subj-leader = (*subj-blob subj-refwd) / WSP`, and blobs before text that is not empty without them. All blobs in a row
 * are passed at once: taking them off singly would look again at those behind for each of them.
 */
function removeLeaders(rest: Rest): void {
  for (;;) {
    rest.start = skipSpace(rest, rest.start);
    let at = rest.start;
    let lastBlob = at;
    for (let next = blobEnd(rest, at); next !== undefined; next = blobEnd(rest, at)) {
      lastBlob = at;
      at = next;
    }
    const behind = refwdEnd(rest, at);
    if (behind === undefined) {
      rest.start = at < rest.end ? at : lastBlob; // the last blob is subj-base if that would otherwise be empty
      return;
    }
    rest.start = behind;
    rest.isReplyOrForward = true;
  }
}

/** `subj-fwd = subj-fwd-hdr subject subj-fwd-trl`: `[fwd: ... ]` */
function removeForward(rest: Rest): boolean {
  if (rest.end - rest.start < 6 || !isAt(rest.text, rest.start, '[fwd:') || rest.text[rest.end - 1] !== ']')
    return false;
  rest.start += 5;
  rest.end -= 1;
  rest.isReplyOrForward = true;
  return true;
}

/** `subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"` */
function refwdEnd(rest: Rest, start: number): number | undefined {
  const { text } = rest;
  if (!isAt(text, start, 're') && !isAt(text, start, 'fw')) return undefined;
  let at = start + 2;
  if (isAt(text, start, 'fwd')) at += 1;
  at = skipSpace(rest, at);
  at = blobEnd(rest, at) ?? at;
  return at < rest.end && text[at] === ':' ? at + 1 : undefined;
}

/** `subj-blob = "[" *BLOBCHAR "]" *WSP`, where BLOBCHAR is anything but brackets and NUL. */
function blobEnd(rest: Rest, start: number): number | undefined {
  const { text } = rest;
  if (start >= rest.end || text[start] !== '[') return undefined;
  for (let at = start + 1; at < rest.end; at += 1) {
    const char = text[at];
    if (char === ']') return skipSpace(rest, at + 1);
    if (char === '[' || char === '\0') return undefined;
  }
  return undefined;
}

function skipSpace(rest: Rest, from: number): number {
  let at = from;
  while (at < rest.end && rest.text[at] === ' ') at += 1;
  return at;
}

/** `token` is ASCII in lower case; literals of ABNF match in any (RFC 5234 §2.3). */
function isAt(text: string, at: number, token: string): boolean {
  for (let n = 0; n < token.length; n += 1) {
    const code = text.charCodeAt(at + n);
    const lower = code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
    if (lower !== token.charCodeAt(n)) return false;
  }
  return true;
}
