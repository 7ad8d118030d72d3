export const words = {
  title: 'Welcome to Stillpoint',
  subtitle: 'Live backups of your running VMs, and the way back.',
  points: [
    {
      title: 'It backs up VMs while they run',
      text: 'Disks and RAM are captured at the same instant. The VM stands still for some hundredths of a second, and you see how long to the millisecond.'
    },
    {
      title: 'It brings them back in the middle of what they were doing',
      text: 'A point can be restored on the same host, on another one, or on one that was rebuilt an hour ago. Points are plain qcow2 and XML, so they can be used without Stillpoint as well.'
    },
    {
      title: 'It works on the host, and leaves no trace if you wish',
      text: 'A small engine is put into /var/lib/stillpoint over SSH. No daemon, no open port, no package. A backup goes on when this computer sleeps. “Remove” takes the engine away again; your points stay.'
    },
    {
      title: 'It talks to nobody whose key you have not seen',
      text: 'Your ~/.ssh/config, keys and agent are used. The host key is checked against known_hosts; an unknown one is shown for you to compare, a changed one is refused.'
    }
  ],
  addHost: 'Add your first host',
  needs: 'You need a Linux host with libvirt and QEMU, and a login as root or with passwordless sudo.',
  demoTitle: 'Or try it on the demo lab',
  demoText: 'This machine can make two small hosts with VMs of their own. In a terminal:'
} as const
