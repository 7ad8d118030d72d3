# What sshd runs in place of every command: hands it to the test, over a socket, and does as the test says.
# To the test: the command, then whatever comes on stdin. From it: a letter, a number, and for o and e so many bytes.
use strict;
use warnings;
use Socket;

my ($path) = @ARGV;
socket(my $test, PF_UNIX, SOCK_STREAM, 0) or exit 255;
connect($test, sockaddr_un($path)) or exit 255;
put($test, pack('N/a*', $ENV{SSH_ORIGINAL_COMMAND} // ''));
my $frames = '';
my $reads = 1;
while (1) {
  my $wanted = '';
  vec($wanted, fileno($test), 1) = 1;
  vec($wanted, 0, 1) = 1 if $reads;
  my $ready = $wanted;
  select($ready, undef, undef, undef);
  if ($reads && vec($ready, 0, 1)) {
    if (sysread(STDIN, my $bytes, 65536)) { put($test, $bytes) }
    else { $reads = 0; shutdown($test, 1) }
  }
  next unless vec($ready, fileno($test), 1);
  sysread($test, $frames, 65536, length $frames) or exit 255;
  while (length $frames >= 5) {
    my ($what, $number) = unpack('aN', $frames);
    exit $number if $what eq 'x';
    if ($what eq 'k') { kill $number, $$; sleep 1 }
    if ($what eq 'c') { close STDOUT; close STDERR; substr($frames, 0, 5, ''); next }
    last if length $frames < 5 + $number;
    my $bytes = substr($frames, 5, $number);
    substr($frames, 0, 5 + $number, '');
    put($what eq 'e' ? *STDERR : *STDOUT, $bytes);
  }
}

sub put {
  my ($to, $bytes) = @_;
  my $done = 0;
  while ($done < length $bytes) {
    my $more = syswrite($to, $bytes, length($bytes) - $done, $done);
    exit 255 unless defined $more;
    $done += $more;
  }
}
