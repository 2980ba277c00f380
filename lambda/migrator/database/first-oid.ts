// Where the oids of a database's own objects begin.

/** The first oid that is none of the server's own (FirstNormalObjectId). */
export const FIRST_OID = 16_384;
