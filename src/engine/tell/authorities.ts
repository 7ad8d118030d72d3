import { readFileSync } from 'node:fs'

/** Where distributions keep what the administrator of a host trusts, own authorities included. */
const SYSTEM_FILES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem']

/** Not many need it, and it takes long to load. */
const tls = (): typeof import('node:tls') => process.getBuiltinModule('node:tls')

/** PEM of all that this host trusts: Node's own list, and the system's. */
export function trustedAuthorities(): string[] {
  return [...tls().rootCertificates, ...SYSTEM_FILES.flatMap(certificatesIn)]
}

/** For `fetch`, which cannot be told per call. */
export const trustSystemAuthorities = (): void => tls().setDefaultCACertificates(trustedAuthorities())

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

export const certificatesOf = (pem: string): string[] => pem.match(CERTIFICATE) ?? []

function certificatesIn(path: string): string[] {
  try {
    return certificatesOf(readFileSync(path, 'utf8'))
  } catch {
    return []
  }
}
