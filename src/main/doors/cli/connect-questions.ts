import type { ConnectQuestions } from '../../core/ssh/host-connection.ts'
import { fail } from '../../../shared/failure.ts'
import { safeText } from '../../../shared/safe-text.ts'
import type { Terminal } from './terminal.ts'

/** What the command line said about a key nobody has vouched for. */
export interface KeyConsent {
  /** `--host-key SHA256:…`: this one and no other. */
  readonly hostKey?: string
  /** `--accept-new`: whichever comes. */
  readonly acceptNew?: boolean
}

/** Flags first, then the person, if there is one; nobody there means no. */
export function connectQuestions(host: string, consent: KeyConsent, terminal: Terminal): ConnectQuestions {
  return {
    async unknownHostKey({ address, keyType, fingerprint }) {
      if (consent.hostKey !== undefined)
        return isSame(consent.hostKey, fingerprint) || otherKey(host, address, keyType, fingerprint)
      if (consent.acceptNew === true) return true
      const shown = `${safeText(address)} shows the ${safeText(keyType)} key\n  ${safeText(fingerprint)}\n`
      const answer = await terminal.ask(`${shown}Nobody has vouched for it yet. Is it the right one? (yes/no) `)
      return answer === 'yes' || answer === 'y'
    },
    passphrase: (identityFile) => terminal.ask(`Passphrase of ${safeText(identityFile)}: `, true)
  }
}

const isSame = (a: string, b: string): boolean => bare(a) === bare(b)
const bare = (fingerprint: string): string => fingerprint.replace(/^SHA256:/i, '').replace(/=+$/, '')

const otherKey = (host: string, address: string, keyType: string, fingerprint: string): never =>
  fail({ kind: 'host-key-changed', host, address, keyType, fingerprint, knownIn: 'what --host-key says' })
