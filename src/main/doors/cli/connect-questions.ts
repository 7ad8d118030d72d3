import type { ConnectQuestions } from '../../core/ssh/host-connection.ts'
import type { Terminal } from './terminal.ts'

/** The flag first, then the person, if there is one; nobody there means no. */
export function connectQuestions(acceptNew: boolean, terminal: Terminal): ConnectQuestions {
  return {
    async unknownHostKey({ address, keyType, fingerprint, damagedIn }) {
      if (acceptNew && damagedIn === undefined) return true
      const answer = await terminal.ask([
        `${address} shows the ${keyType} key`,
        `  ${fingerprint}`,
        ...(damagedIn === undefined
          ? []
          : [`${damagedIn} has lines that cannot be read, and one may be of this host: it may have had another key.`]),
        'Nobody has vouched for it yet. Is it the right one? (yes/no) '
      ])
      return answer === 'yes' || answer === 'y'
    },
    passphrase: (identityFile) => terminal.ask(`Passphrase of ${identityFile}: `, true)
  }
}

/** As OpenSSH prints it, however it was written down. */
export const fingerprintOf = (text: string): string => `SHA256:${text.replace(/^SHA256:/i, '').replace(/=+$/, '')}`
