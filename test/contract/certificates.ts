import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Identity {
  readonly key: string
  readonly cert: string
}

/** An authority of our own, and what it signs. PEM throughout. */
export interface Authority {
  readonly ca: string
  /** For a server that is known by these names, `DNS:…` or `IP:…`. */
  sign(...names: string[]): Identity
}

const openssl = (args: readonly string[], cwd: string): void =>
  void execFileSync('openssl', [...args], { cwd, stdio: ['ignore', 'ignore', 'pipe'] })

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']

export function makeAuthority(): Authority {
  const ca = selfSigned('Test authority', ['-addext', 'basicConstraints=critical,CA:TRUE'])
  return { ca: ca.cert, sign: (...names) => signedBy(ca, names) }
}

/** A certificate that nobody else vouches for. */
export const selfSigned = (name: string, more: readonly string[] = []): Identity =>
  inFolder((dir) => {
    const out = ['-keyout', 'key.pem', '-out', 'cert.pem', '-subj', `/CN=${name}`]
    openssl(['req', '-x509', ...EC, ...out, ...more], dir)
    return identityIn(dir)
  })

function signedBy(ca: Identity, names: readonly string[]): Identity {
  return inFolder((dir) => {
    writeFileSync(join(dir, 'ca.pem'), ca.cert)
    writeFileSync(join(dir, 'ca.key'), ca.key)
    writeFileSync(join(dir, 'names'), `subjectAltName=${names.join(',')}\n`)
    openssl(['req', ...EC, '-keyout', 'key.pem', '-out', 'req.pem', '-subj', '/CN=mail'], dir)
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names', '-days', '2']
    openssl(['x509', '-req', '-in', 'req.pem', '-out', 'cert.pem', ...by], dir)
    return identityIn(dir)
  })
}

const identityIn = (dir: string): Identity => ({
  key: readFileSync(join(dir, 'key.pem'), 'utf8'),
  cert: readFileSync(join(dir, 'cert.pem'), 'utf8')
})

function inFolder<T>(work: (dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'stillpoint-cert-'))
  try {
    return work(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
