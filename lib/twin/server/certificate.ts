// The TLS certificate of an embedded server: signed by itself, new for each server, valid for this machine's own address.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** The files of a folder that `writeCertificate` filled. */
export function certificateFiles(directory: string) {
  return { certificate: join(directory, 'server.crt'), key: join(directory, 'server.key') };
}

/** Writes certificate and key; the certificate is its own authority, so a client trusts it by the same file. */
export async function writeCertificate(directory: string): Promise<void> {
  const pem = await generate([{ name: 'commonName', value: 'Backstop local server' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  const files = certificateFiles(directory);
  await mkdir(directory);
  await writeFile(files.certificate, pem.cert);
  // PostgreSQL refuses a key that others can read.
  await writeFile(files.key, pem.private, { mode: 0o600 });
}
