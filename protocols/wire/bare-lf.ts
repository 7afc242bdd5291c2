/** Looks for a line feed that no carriage return goes before, in octets that stream by however they are cut (RFC 5321 §2.3.8). */
const CR = 0x0d;
const LF = 0x0a;

export class BareLf {
  #wasSeen = false;
  #afterCr = false;

  get wasSeen(): boolean {
    return this.#wasSeen;
  }

  pass(chunk: Uint8Array): void {
    for (let lf = chunk.indexOf(LF); lf >= 0 && !this.#wasSeen; lf = chunk.indexOf(LF, lf + 1))
      this.#wasSeen = !(lf > 0 ? chunk[lf - 1] === CR : this.#afterCr);
    if (chunk.length > 0) this.#afterCr = chunk[chunk.length - 1] === CR;
  }
}
