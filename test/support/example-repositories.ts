import { resolve } from 'node:path';
import { GitRepository } from './git-repository.ts';

const root = resolve(import.meta.dirname, '../..');

/** The repositories that an example for a GitOps tool speaks of. */
export interface ExampleRepositories {
  /** Of whoever has meshes: the example with the URLs of both. */
  readonly meshes: GitRepository;
  /** Of the operator: its chart, with the tag of its version. */
  readonly operator: GitRepository;
}

/** Makes them of a folder of the repository, whose URLs are those of `git.example.com`. */
export async function createExampleRepositories(folder: string): Promise<ExampleRepositories> {
  const [meshes, operator] = await Promise.all([GitRepository.create(), GitRepository.create()]);
  const chart = 'charts/mesh-operator';
  await operator.commitFolder(resolve(root, chart), { at: chart });
  await operator.tag('v0.1.0');
  await meshes.commitFolder(resolve(root, folder), {
    replace: {
      'https://git.example.com/mesh-operator/mesh-operator.git': operator.url,
      'https://git.example.com/platform/cluster.git': meshes.url,
      'https://git.example.com/platform/clusters.git': meshes.url,
    },
  });
  return { meshes, operator };
}
