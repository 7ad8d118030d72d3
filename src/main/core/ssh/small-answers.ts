import type { Shell } from '../../../shared/shell.ts'
import type { HostConnection } from './host-connection.ts'

/** What a host may say, and complain of, where it is asked for a few lines. */
export const SMALL_ANSWER_BYTES = 64 * 1024

/**
 * A host that is listened to for no more than that, unless a call names a limit of its own or takes what comes as it comes: what is
 * kept is read in one piece, while everything else waits.
 */
export const ofSmallAnswers = (connection: HostConnection): HostConnection => ({
  address: connection.address,
  shell: answeringInShort(connection.shell),
  get state() {
    return connection.state
  },
  close: () => connection.close()
})

const answeringInShort = (shell: Shell): Shell => ({
  label: shell.label,
  run: (argv, options = {}) =>
    shell.run(argv, options.onStdout === undefined ? { maxOutputBytes: SMALL_ANSWER_BYTES, ...options } : options)
})
