/**
 * What the MIME fields of a header section say: RFC 2045 §5 and §6, RFC 2183 (Content-Disposition), RFC 2231 §3
 * (parameters in pieces), RFC 3282 (Content-Language). Never fails: what can't be read is as if it were not there. Latin1
 * text, one character an octet.
 */
import type { Scanner } from './scanner.ts';

export type Parameter = readonly [name: string, value: string];

export type ContentType = {
  readonly type: string;
  readonly subtype: string;
  readonly parameters: readonly Parameter[];
};

/**
 * `"Content-Type" ":" type "/" subtype *(";" parameter)` (RFC 2045 §5.1), spelled as sent.
 * @returns undefined when that can't be read: RFC 2045 §5.2 recommends to take it for text/plain
 */
export function parseContentType(value: Scanner): ContentType | undefined {
  value.cfws();
  const type = value.token();
  value.cfws();
  if (type === '' || value.peek() !== '/') return undefined;
  value.skip();
  value.cfws();
  const subtype = value.token();
  if (subtype === '') return undefined;
  return { type, subtype, parameters: parseParameters(value) };
}

export type Disposition = { readonly type: string; readonly parameters: readonly Parameter[] };

/**
 * `"Content-Disposition" ":" disposition-type *(";" disposition-parm)` (RFC 2183 §2). Parameters without a type are those of an
 * attachment, as with a type that is not known (§2.8).
 */
export function parseDisposition(value: Scanner): Disposition | undefined {
  value.cfws();
  const type = value.token() || (value.peek() === '"' && value.quotedString()) || '';
  const parameters = parseParameters(value);
  return type === '' && parameters.length === 0 ? undefined : { type: type || 'attachment', parameters };
}

/**
 * `mechanism := "7bit" / "8bit" / "binary" / "quoted-printable" / "base64" / ietf-token / x-token` (RFC 2045 §6.1). Where more
 * stands behind it, as in `8 bit`, only one of those named is believed.
 */
export function parseTransferEncoding(value: Scanner): string | undefined {
  value.cfws();
  const mechanism = value.token();
  value.cfws();
  const isBelieved = value.peek() === '' || MECHANISMS.includes(mechanism.toLowerCase());
  return mechanism !== '' && isBelieved ? mechanism : undefined;
}

const MECHANISMS = ['7bit', '8bit', 'binary', 'quoted-printable', 'base64'];

/** `Content-Language = 1#Language-Tag` (RFC 3282 §2) */
export function parseLanguages(value: Scanner): readonly string[] {
  const tags: string[] = [];
  while (value.peek() !== '') {
    value.cfws();
    const tag = value.token();
    if (tag !== '') tags.push(tag);
    else value.skip();
  }
  return tags;
}

export function parameter(parameters: readonly Parameter[], name: string): string | undefined {
  return parameters.find(([attribute]) => attribute.toLowerCase() === name)?.[1];
}

/**
 * `*(";" attribute "=" value)`, semicolons forgotten or not; what is no parameter is passed over. A value without quotes may
 * hold more than a `token`, as broken mail has it (`boundary=a=b`); it ends before a space.
 */
function parseParameters(value: Scanner): readonly Parameter[] {
  const parameters: Parameter[] = [];
  for (value.cfws(); value.peek() !== ''; value.cfws()) {
    const attribute = value.token();
    value.cfws();
    if (attribute === '' && value.peek() === '"') value.quotedString();
    else if (attribute === '') value.skip();
    if (attribute === '' || value.peek() !== '=') continue;
    value.skip();
    value.cfws();
    const quoted = value.peek() === '"' ? value.quotedString() : undefined;
    parameters.push([attribute, quoted ?? value.bareValue()]);
  }
  return joined(parameters);
}

type Piece = { readonly sent: Parameter; readonly index: number; readonly extended: boolean };

/**
 * Continuations become one parameter (RFC 9051 §7.5.2, RFC 2231 §3) behind the others; character sets and percent signs stay as
 * sent, under the name `attribute*`, for the client to decode (RFC 2231 §4). Where a piece is missing or comes twice, all of
 * them stay as sent.
 */
function joined(parameters: readonly Parameter[]): readonly Parameter[] {
  const whole: Parameter[] = [];
  const inPieces = new Map<string, Piece[]>();
  for (const sent of parameters) {
    const [, attribute, index, star] = /^([^*]+)\*(\d{1,6})(\*?)$/.exec(sent[0]) ?? [];
    if (attribute === undefined) {
      whole.push(sent);
      continue;
    }
    const key = attribute.toLowerCase();
    const pieces = inPieces.get(key) ?? [];
    pieces.push({ sent, index: Number(index), extended: star === '*' });
    inPieces.set(key, pieces);
  }
  for (const pieces of inPieces.values()) whole.push(...join(pieces));
  return whole;
}

function join(pieces: readonly Piece[]): readonly Parameter[] {
  const inOrder = new Array<Piece | undefined>(pieces.length).fill(undefined);
  for (const piece of pieces) if (piece.index < pieces.length) inOrder[piece.index] = piece;
  if (inOrder.includes(undefined)) return pieces.map((piece) => piece.sent);
  const ordered = inOrder as readonly Piece[]; // no hole, as just seen
  const [first] = ordered;
  const attribute = first!.sent[0].slice(0, first!.sent[0].indexOf('*'));
  if (!ordered.some((piece) => piece.extended)) return [[attribute, ordered.map((piece) => piece.sent[1]).join('')]];
  // A piece that is not encoded must not be decoded with the others (RFC 2231 §4.1).
  const values = ordered.map(({ sent, extended }) => (extended ? sent[1] : sent[1].replaceAll('%', '%25')));
  return [[`${attribute}*`, (first!.extended ? '' : "''") + values.join('')]];
}
