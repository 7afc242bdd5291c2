/**
 * BODY and BODYSTRUCTURE on the wire: RFC 9051 §7.5.2 and §9 `body`. Type, parameters and the like go as they were sent; what
 * is missing gets its default (RFC 2045 §5.2, §6.1). Latin1 text, one character an octet.
 */
import type { ContentType, Disposition, Parameter } from './content-fields.ts';
import { parameter } from './content-fields.ts';
import { list, NIL, nstring, string } from './nstring.ts';

/** What the MIME fields of a part say, where they say anything. */
export type Content = {
  readonly type?: ContentType;
  readonly encoding?: string;
  readonly id?: string;
  readonly description?: string;
  readonly md5?: string;
  readonly disposition?: Disposition;
  readonly languages: readonly string[];
  readonly location?: string;
};

/** `children` as in structure.ts `Part.parts`; `envelope` is there on a message that another holds. */
export type Described = {
  readonly kind: 'leaf' | 'multipart' | 'message';
  readonly content: Content;
  readonly sizeOctets: number;
  readonly lines: number;
  readonly children: readonly Described[];
  readonly envelope: string;
};

/** `body = "(" (body-type-1part / body-type-mpart) ")"` */
export function bodyStructure(part: Described, extended: boolean): string {
  const { kind, content } = part;
  const nested = part.children.map((child) => bodyStructure(child, extended));
  if (kind === 'multipart') {
    const type = [nested.join(''), string(content.type?.subtype ?? 'mixed')];
    return list(extended ? [...type, parameters(content.type?.parameters ?? []), ...extension(content)] : type);
  }
  const fields = basicFields(part);
  if (kind === 'message') fields.push(part.children[0]!.envelope, nested[0]!, `${part.lines}`);
  else if (isText(content)) fields.push(`${part.lines}`);
  if (extended) fields.push(nstring(content.md5), ...extension(content));
  return list(fields);
}

/** `media-basic / media-message / media-text`, then `body-fields` */
function basicFields({ kind, content, sizeOctets }: Described): string[] {
  const { type, subtype } = mediaType(kind, content);
  const given = content.type?.parameters ?? [];
  const needsCharset = kind === 'leaf' && isText(content) && parameter(given, 'charset') === undefined;
  return [
    string(type),
    string(subtype),
    parameters(needsCharset ? [...given, ['charset', 'us-ascii']] : given), // RFC 2046 §4.1.2
    nstring(content.id),
    nstring(content.description),
    string(content.encoding ?? '7bit'),
    `${sizeOctets}`,
  ];
}

function mediaType(kind: Described['kind'], { type }: Content): { type: string; subtype: string } {
  if (type === undefined) return { type: 'text', subtype: 'plain' };
  return kind === 'message' ? { type: 'message', subtype: type.subtype.toLowerCase() } : type;
}

/** The part of `body-ext-1part` and `body-ext-mpart` that both have: `body-fld-dsp`, `body-fld-lang`, `body-fld-loc` */
function extension({ disposition, languages, location }: Content): string[] {
  return [
    disposition === undefined ? NIL : list([string(disposition.type), parameters(disposition.parameters)]),
    list(languages.map(string)),
    nstring(location),
  ];
}

/** `body-fld-param = "(" string SP string *(SP string SP string) ")" / nil` */
const parameters = (given: readonly Parameter[]): string => list(given.flat().map(string));

const isText = ({ type }: Content): boolean => type === undefined || type.type.toLowerCase() === 'text';
