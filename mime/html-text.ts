/**
 * HTML as text: tags and comments gone, character references decoded, scripts and styles left out, blocks on lines of
 * their own, quotations marked by `>`. For previews (RFC 8970 §3.3), not for display: nothing it says is safe markup.
 * One pass, whatever comes; holds a tag's or a reference's beginning and nothing else.
 */

/** Elements that begin and end a line. */
const BLOCKS =
  /^(?:address|article|aside|blockquote|body|br|center|dd|div|dl|dt|fieldset|footer|form|h[1-6]|header|hr|li|main|nav|ol|option|p|pre|section|table|td|th|title|tr|ul)$/;
/** Elements whose content is no text of the message; it ends at their end tag only, if they have their own syntax. */
const RAW = /^(?:script|style|title|textarea|xmp|iframe|noembed|noframes)$/;
const MOST_NAME_UNITS = 32;
const MOST_REFERENCE_UNITS = 32;
const MOST_QUOTE_DEPTH = 8;
/** U+00A0 to U+00FF by their names in HTML 4. */
const LATIN1 =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml';
const NAMED: { readonly [name: string]: string } = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  OElig: 'Œ',
  oelig: 'œ',
  Scaron: 'Š',
  scaron: 'š',
  Zcaron: 'Ž',
  zcaron: 'ž',
  Yuml: 'Ÿ',
  ensp: ' ',
  emsp: ' ',
  thinsp: ' ',
  zwnj: '',
  zwj: '\u200d',
  lrm: '',
  rlm: '',
  ndash: '–',
  mdash: '—',
  lsquo: '‘',
  rsquo: '’',
  sbquo: '‚',
  ldquo: '“',
  rdquo: '”',
  bdquo: '„',
  dagger: '†',
  Dagger: '‡',
  bull: '•',
  hellip: '…',
  permil: '‰',
  lsaquo: '‹',
  rsaquo: '›',
  euro: '€',
  trade: '™',
  larr: '←',
  rarr: '→',
};

type Where = 'text' | 'reference' | 'tag-open' | 'tag' | 'value-double' | 'value-single' | 'comment' | 'raw';

export class HtmlText {
  #where: Where = 'text';
  /** What a reference, a tag's name, or an end tag in raw content has so far. */
  #held = '';
  /** The last two units of a comment or tag, to find its end. */
  #last = '';
  /** The raw element that text is in. */
  #raw = '';
  #quoteDepth = 0;
  #isLineBegun = false;
  #out = '';

  write(html: string): string {
    this.#out = '';
    for (let at = 0; at < html.length; at += 1) {
      if (this.#where === 'text') at = this.#passText(html, at);
      else this.#take(html[at]!);
    }
    return this.#out;
  }

  end(): string {
    this.#out = '';
    if (this.#where === 'reference') this.#endReference('');
    else if (this.#where === 'tag-open') this.#takeName('');
    return this.#out;
  }

  /** Up to the next unit that is not text; gives where that is. */
  #passText(html: string, from: number): number {
    let at = from;
    while (at < html.length && html[at] !== '<' && html[at] !== '&') at += 1;
    if (at > from) this.#say(html.slice(from, at));
    if (at < html.length) this.#where = html[at] === '<' ? 'tag-open' : 'reference';
    this.#held = '';
    return at;
  }

  #take(char: string): void {
    switch (this.#where) {
      case 'reference':
        if (/[A-Za-z0-9#]/.test(char) && this.#held.length < MOST_REFERENCE_UNITS) this.#held += char;
        else this.#endReference(char);
        break;
      case 'tag-open':
        this.#takeName(char);
        break;
      case 'tag':
        if (char === '>') this.#endTag();
        else if (char === '"') this.#where = 'value-double';
        else if (char === "'") this.#where = 'value-single';
        break;
      case 'value-double':
        if (char === '"') this.#where = 'tag';
        break;
      case 'value-single':
        if (char === "'") this.#where = 'tag';
        break;
      case 'comment':
        if (char === '>' && this.#last === '--') this.#where = 'text';
        this.#last = this.#last.slice(-1) + char;
        break;
      case 'raw':
        this.#takeRaw(char);
        break;
    }
  }

  /** `</name`, `<name`, `<!--`; a `<` before anything else is text. */
  #takeName(char: string): void {
    if (/^[A-Za-z0-9/!?-]$/.test(char) && this.#held.length < MOST_NAME_UNITS) {
      this.#held += char;
      if (this.#held === '!--') {
        this.#where = 'comment';
        this.#last = '';
      }
      return;
    }
    if (!/^[/!?A-Za-z]/.test(this.#held)) {
      this.#say(`<${this.#held}`);
      this.#backToText(char);
      return;
    }
    this.#where = 'tag';
    this.#take(char);
  }

  #endTag(): void {
    this.#where = 'text';
    const isEnd = this.#held.startsWith('/');
    const name = this.#held.replace(/^\/|\/$/g, '').toLowerCase();
    if (BLOCKS.test(name)) this.#endLine();
    if (name === 'blockquote')
      this.#quoteDepth = Math.min(MOST_QUOTE_DEPTH, Math.max(0, this.#quoteDepth + (isEnd ? -1 : 1)));
    if (isEnd || !RAW.test(name)) return;
    this.#where = 'raw';
    this.#raw = `</${name}`;
    this.#held = '';
  }

  /** Raw content ends at its end tag, whatever comes before. */
  #takeRaw(char: string): void {
    const held = this.#held + char.toLowerCase();
    if (this.#raw.startsWith(held)) this.#held = held;
    else this.#held = char === '<' ? char : '';
    if (this.#held !== this.#raw) return;
    this.#where = 'tag';
    this.#held = '/';
  }

  /** `&name;`, `&#10;`, `&#xa;`, the semicolon may be missing; any other is text as it stands. */
  #endReference(char: string): void {
    const text = referenceText(this.#held);
    this.#say(text ?? `&${this.#held}`);
    if (text !== undefined && char === ';') this.#where = 'text';
    else this.#backToText(char);
  }

  #backToText(char: string): void {
    this.#where = 'text';
    if (char !== '') this.#passText(char, 0);
  }

  #say(text: string): void {
    let said = text;
    if (!this.#isLineBegun) {
      said = text.replace(/^\s+/, '');
      if (said === '') return;
      this.#out += '>'.repeat(this.#quoteDepth);
      this.#isLineBegun = true;
    }
    // Line ends are spaces in HTML, and would cut a quotation's mark off.
    this.#out += said.replace(/[\r\n]/g, ' ');
  }

  #endLine(): void {
    if (this.#isLineBegun) this.#out += '\n';
    this.#isLineBegun = false;
  }
}

function referenceText(reference: string): string | undefined {
  if (!reference.startsWith('#')) {
    if (Object.hasOwn(NAMED, reference)) return NAMED[reference];
    const index = reference === '' ? -1 : LATIN1.split(' ').indexOf(reference);
    return index < 0 ? undefined : String.fromCharCode(0xa0 + index);
  }
  const digits = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(reference);
  if (digits === null) return undefined;
  const code = digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16);
  const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : '\ufffd';
}
