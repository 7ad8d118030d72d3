/** All text of the window that is not a failure's, in one place: ready for translation. */
export const words = {
  rail: 'Screens',
  screens: { hosts: 'Hosts' },
  copied: 'Copied',
  copyCommand: 'Copy',
  copyDetails: 'Copy details',
  tryAgain: 'Try again',
  hosts: {
    title: 'Hosts',
    counted: (count: number): string => (count === 1 ? '1 host' : `${count} hosts`),
    loading: 'Reading the list of hosts',
    stale: 'This is the list as it was before.',
    columns: { name: 'Host', address: 'Address', user: 'Login', added: 'Added' },
    fromSshConfig: 'from SSH config',
    emptyTitle: 'No hosts yet',
    emptyText:
      'The KVM hosts you look after will be listed here. Add the first one in a terminal: Stillpoint connects over SSH, asks about the fingerprint of its key, checks what is there, and puts its engine on it. No package, no daemon, no open port; “stillpoint host remove NAME --clean” takes it away again.',
    addTitle: 'Add another host in a terminal',
    namesToPutIn: 'Put in your own name, user and address. The host appears here by itself.'
  }
} as const
