export const words = {
  title: 'Settings',
  subtitle: 'Every change is saved at once.',
  saving: 'Saving',
  saved: 'Saved',
  notices: 'Notices',
  success: {
    label: 'When a backup or restore succeeds',
    text: 'As a notification of the desktop app. The inbox has them anyway.'
  },
  failure: {
    label: 'When a backup or restore fails',
    text: 'As a notification of the desktop app, besides the inbox.'
  },
  computer: 'This computer',
  login: {
    label: 'Start at login',
    text: 'Stillpoint begins in the background when you log in.',
    browser: 'Only the desktop app can start at login; this window is in a browser.',
    impossible: 'This desktop has no place for programs that start at login.'
  },
  close: {
    label: 'When the window is closed',
    text: 'Backups that run go on on their hosts either way.',
    noTray: 'This desktop shows no tray, so closing the window ends the app. Backups go on on their hosts.',
    ask: 'Ask once',
    tray: 'Stay in the tray',
    quit: 'Quit'
  },
  appearance: { label: 'Appearance', text: '', system: 'Like the system', light: 'Light', dark: 'Dark' },
  backups: 'Backups',
  store: {
    label: 'Store on each host',
    text: 'A folder on the host. Empty: the host’s own, /var/lib/stillpoint/points.',
    placeholder: '/var/lib/stillpoint/points',
    error: 'A folder begins with / and has no invisible characters.'
  },
  budget: {
    label: 'Pause budget',
    text: 'How long a VM may stand still for a backup.',
    unit: 'ms',
    error: 'A number of milliseconds above 0, at most an hour.'
  },
  busy: {
    label: 'If a VM is too busy for the budget',
    text: '',
    pause: 'Let it stand still longer',
    disk: 'Back up its disks only',
    fail: 'Fail and say so'
  },
  expect: {
    label: 'A good point at least every',
    text: (age: string) => `A VM whose newest good point is older than ${age} is shown as too old.`,
    unit: 'hours',
    error: 'A number of hours above 0, at most a year.'
  },
  muted: 'Muted VMs',
  noneMuted: 'No VM is muted. A VM that may be left alone can be muted in the overview.',
  mutedSince: 'muted',
  unmute: 'Unmute',
  keys: 'Host keys',
  keysText:
    'Hosts that are trusted, by the keys that they must show. Yours are only read; Stillpoint writes to a file of its own.',
  noKeys: 'No host key is known yet.',
  keyColumns: { host: 'Host', type: 'Type', fingerprint: 'Fingerprint', where: 'File and line', actions: 'Actions' },
  revoked: 'revoked',
  forget: 'Forget…',
  forgetKey: (host: string) => `Forget the key of ${host}`,
  forgetDialog: {
    title: 'Forget this host key?',
    text: (host: string) =>
      `The next time that Stillpoint connects to ${host}, it shows the key of that host and asks again. Nothing on the host changes.`,
    confirm: 'Forget key'
  },
  about: 'About',
  version: 'Version',
  folder: 'Settings folder',
  door: 'This window',
  doors: { desktop: 'Desktop app', browser: 'Browser' },
  platform: 'System',
  diagnostics: {
    button: 'Diagnostics…',
    text: 'What a maintainer needs to see a fault, as a text file. You see all of it before it is saved.',
    title: 'Diagnostics',
    check:
      'This is everything that would be in the file. Secrets were left out; look through it before you pass it on.',
    content: 'Content of the file',
    save: 'Save as file',
    copy: 'Copy'
  }
} as const
