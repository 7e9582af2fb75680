import type { Cluster } from '../cluster/cluster.ts';

/** One line for each object of every kind that can be listed, custom ones included: `group/version Kind namespace/name`. */
export async function listEverything(cluster: Cluster): Promise<string[]> {
  const resources = await cluster.kubectl('api-resources', '--verbs=list', '--output=name', '--no-headers');
  const fields = ['.apiVersion', '.kind', '.metadata.namespace', '.metadata.name'];
  const columns = fields.map((field, index) => `C${index}:${field}`).join(',');
  const text = await cluster.kubectl(
    ...['get', resources.trim().split('\n').join(','), '--all-namespaces'],
    ...['--no-headers', `--output=custom-columns=${columns}`],
  );
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [apiVersion = '', kind = '', namespace = '', name = ''] = line.trim().split(/\s+/);
      return `${apiVersion} ${kind} ${namespace === '<none>' ? '' : `${namespace}/`}${name}`;
    })
    .sort();
}
