import { Title } from '@mantine/core'

export function HostsPage() {
  return <Title order={1}>Hosts</Title>
}
