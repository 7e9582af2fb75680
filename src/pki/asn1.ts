import forge from 'node-forge';

/** One value of a DER text, as node-forge reads and writes it. */
export type Asn1 = forge.asn1.Asn1;

const { Class, Type } = forge.asn1;

/**
 * The value that a DER text holds. BIT STRINGs stay bytes: node-forge would else guess what is in them, and takes one in
 * 256 points of P-256 for an OCTET STRING. Throws when it is not DER, has something behind it, or is nested too deep.
 */
export function parseDer(der: Uint8Array): Asn1 {
  const options = { decodeBitStrings: false } as unknown as boolean; // the types know only an older signature
  return forge.asn1.fromDer(binary(der), options);
}

/** The DER of a value. */
export function derOf(value: Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(value).getBytes(), 'binary');
}

/** Bytes as node-forge holds them: one character each. */
export function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('binary');
}

export function sequence(...values: readonly Asn1[]): Asn1 {
  return forge.asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, [...values]);
}

/** A SET of one value, which is in order whatever it is. */
export function set(value: Asn1): Asn1 {
  return forge.asn1.create(Class.UNIVERSAL, Type.SET, true, [value]);
}

/** A value in an explicit context-specific tag, such as `[0]`. */
export function tagged(tag: number, value: Asn1): Asn1 {
  return forge.asn1.create(Class.CONTEXT_SPECIFIC, tag, true, [value]);
}

/** Bytes in an implicit context-specific tag. */
export function taggedBytes(tag: number, bytes: Uint8Array): Asn1 {
  return forge.asn1.create(Class.CONTEXT_SPECIFIC, tag, false, binary(bytes));
}

/** Of any size, from its big-endian two's complement. */
export function integer(bytes: Uint8Array): Asn1 {
  return primitive(Type.INTEGER, binary(bytes));
}

/** Of whole bytes. */
export function bitString(bytes: Uint8Array): Asn1 {
  return primitive(Type.BITSTRING, `\0${binary(bytes)}`);
}

export function octetString(bytes: Uint8Array): Asn1 {
  return primitive(Type.OCTETSTRING, binary(bytes));
}

/** From its dotted form. */
export function objectIdentifier(dotted: string): Asn1 {
  return primitive(Type.OID, forge.asn1.oidToDer(dotted).getBytes());
}

export function nothing(): Asn1 {
  return primitive(Type.NULL, '');
}

/** UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280 section 4.1.2.5); cut to whole seconds. */
export function time(at: Date): Asn1 {
  return at.getUTCFullYear() < 2050
    ? primitive(Type.UTCTIME, forge.asn1.dateToUtcTime(at))
    : primitive(Type.GENERALIZEDTIME, forge.asn1.dateToGeneralizedTime(at));
}

function primitive(type: forge.asn1.Type, value: string): Asn1 {
  return forge.asn1.create(Class.UNIVERSAL, type, false, value);
}
