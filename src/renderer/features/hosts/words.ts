const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`

/** Text of the hosts page and of its dialogs. */
export const words = {
  title: 'Hosts',
  subtitle: 'The machines that run your VMs',
  summary: {
    hosts: (n: number) => count(n, 'host', 'hosts'),
    allUp: 'all up',
    up: (n: number) => `${n} up`,
    connecting: (n: number) => `${n} connecting`,
    down: (n: number) => `${n} ${n === 1 ? 'needs' : 'need'} you`
  },
  add: {
    open: 'Add host',
    title: 'Add a host',
    steps: { login: 'Address', key: 'Its key', look: 'What is there', placing: 'Engine' },
    stepsLabel: 'Steps of adding a host',
    address: 'Address',
    addressHint: 'A name, an IP address, or user@address',
    addressOrEntryHint: 'A name, an IP address, user@address, or an entry of ~/.ssh/config',
    name: 'Name in Stillpoint',
    nameHint: 'What you call it. It stays, whatever becomes of the address.',
    user: 'User',
    userHint: 'root, or one that may use sudo without a password',
    port: 'Port',
    portHint: 'Usually 22',
    identityFile: 'Key file',
    identityFileHint: 'Empty: ssh-agent, and what ~/.ssh/config says',
    byConfig: 'as ~/.ssh/config says',
    problems: {
      address: 'That is neither a host name nor an address.',
      name: 'Letters, digits, dot, dash and underscore; it begins with a letter or a digit.',
      nameTooLong: 'At most 63 characters.',
      nameTaken: (address: string) =>
        `That is already the name of the host at ${address}. Choose another one, or remove that host first.`,
      user: 'That is no user name.',
      port: 'A port is a number from 1 to 65535.'
    },
    connect: 'Connect',
    connectHint: 'Connects and looks. Nothing is changed on the host.',
    back: 'Back',
    lookAgain: 'Look again',
    usable: 'This host can be used.',
    notUsable: 'Mend what is marked red on the host, then look again.',
    facts: 'What is there',
    vms: 'VMs',
    noVms: 'No VMs yet',
    moreVms: (n: number) => `and ${n} more`,
    addIt: 'Add this host',
    whatIsPut:
      'Stillpoint sends its engine (about 45 MB) to /var/lib/stillpoint there. No daemon, no open port, no package; “Remove” takes it away again.',
    placing: (name: string) => `Putting the engine on ${name}`,
    placingRuntime: 'runtime',
    placingEngine: 'engine',
    placingWait: 'Connecting, and seeing what is there already',
    placingNote: 'This is needed once. Later versions only send what has changed.'
  },
  key: {
    unknownTitle: (host: string) => `Is this the key of ${host}?`,
    unknownText:
      'Every host shows a key of its own, so that nothing else can pass for it. Stillpoint has not seen this one yet, and has sent nothing to it.',
    changedTitle: (host: string) => `${host} shows another key than before`,
    changedText: 'Another key is known for it. There can be two reasons:',
    changedRebuilt: 'The host was rebuilt or got a new key. Then this is to be expected.',
    changedAttack: 'Something else answers at its address. Then it would see everything that Stillpoint does there.',
    nothingSent: 'Nothing was sent to it.',
    expectedIn: 'The old key is written down in',
    shown: 'Fingerprint that it shows',
    keyType: 'Type',
    at: 'Address',
    compare: 'Compare it: run this on the host itself, at its console or in another way that you trust',
    right: 'It is the right one',
    forgetFirst:
      'The old key is in a file of OpenSSH, which Stillpoint only reads. If the host was rebuilt, forget it there first:',
    forgotten: 'I have run it: look again',
    confirm: (name: string) => `Only if you have compared them: type ${name} to take the new key`,
    accept: 'Take the new key',
    judge: 'Compare the keys…',
    cardText: 'Either the host was rebuilt, or something else answers in its place. Nothing was sent to it.',
    cardUnknown: 'Nobody has vouched for the key that it shows. Nothing was sent to it.'
  },
  refresh: 'Refresh',
  refreshOne: 'Look again',
  menu: (host: string) => `More about ${host}`,
  states: {
    connecting: 'Connecting',
    up: 'Up',
    down: 'Does not answer',
    key: 'Key to be judged',
    placing: 'Setting up'
  },
  asOf: 'As of',
  neverSeen: 'Nothing is known about it yet.',
  facts: {
    os: 'System',
    versions: 'Versions',
    libvirt: 'libvirt',
    qemu: 'QEMU',
    cpu: 'CPU',
    cpus: (n: number) => count(n, 'CPU', 'CPUs'),
    load: 'Load',
    memory: 'Memory',
    store: 'Store',
    used: (used: string, total: string) => `${used} of ${total} used`,
    nearlyFull: 'Nearly full',
    free: (free: string) => `${free} free`,
    vms: (n: number) => count(n, 'VM', 'VMs'),
    running: (n: number) => `${n} running`
  },
  empty: {
    title: 'No hosts yet',
    text: 'A host is a machine with libvirt and QEMU that you reach by SSH. Add one, and its VMs show up here.'
  },
  doctor: {
    open: 'Doctor…',
    title: (host: string) => `Doctor: ${host}`,
    looking: 'Looking for what earlier jobs may have left behind…',
    none: 'Nothing is left over. Everything is as it should be.',
    found: (n: number) => count(n, 'thing is left over', 'things are left over'),
    repair: 'Repair',
    wouldDo: 'Repair would',
    repaired: 'Repaired',
    leftOver: 'Left over',
    allRepaired: 'All of it was repaired.',
    again: 'Look again',
    close: 'Close'
  },
  remove: {
    open: 'Remove…',
    title: (host: string) => `Remove ${host}`,
    text: 'Stillpoint forgets this host. Its VMs go on running.',
    pointsStay: 'Restore points on it stay where they are; add the host again to see them.',
    forget: 'Forget it only',
    forgetText: 'The engine stays in /var/lib/stillpoint. For a host that is gone, or comes back.',
    clean: 'Take the engine off it, too',
    cleanText: 'Runtime, engine, finished jobs and the boot-time unit go. The host has to be up, and no job may run.',
    how: 'What happens on the host',
    confirm: 'Remove',
    cancel: 'Cancel',
    done: (host: string) => `${host} was removed. Taken away:`,
    close: 'Close'
  }
} as const
