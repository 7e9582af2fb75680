/** A value of ASN.1 in DER: its tag, its length, and what it holds. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

export const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]) => der(0x31, ...parts);
export const octets = (...parts: readonly Uint8Array[]) => der(0x04, ...parts);
export const bits = (content: Uint8Array) => der(0x03, Buffer.of(0), content);
export const utf8 = (text: string) => der(0x0c, Buffer.from(text));
export const isTrue = der(0x01, Buffer.of(0xff));
/** Of 0 to 127 in its first byte. */
export const integer = (bytes: Uint8Array) => der(0x02, bytes);
/** An object identifier whose content is written as hexadecimal. */
export const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
/** Explicitly tagged. */
export const tagged = (number: number, content: Uint8Array) => der(0xa0 + number, content);
/** GeneralizedTime, in whole seconds. */
export const time = (at: Date) => der(0x18, Buffer.from(`${at.toISOString().replace(/[-:T]|\.\d+Z/g, '')}Z`));
