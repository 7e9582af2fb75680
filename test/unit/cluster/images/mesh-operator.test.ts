import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { injectorCommand } from '../../../../src/render/injector/injector-process.ts';
import { operatorConfig, operatorFiles } from '../../../cluster/images/mesh-operator.ts';

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

const repository = path.resolve(import.meta.dirname, '../../../..');

let instructions: Instruction[];

beforeAll(async () => {
  instructions = parseDockerfile(await readFile(path.join(repository, 'Dockerfile'), 'utf8'));
});

describe('the image of the operator', () => {
  it('has the files that the Dockerfile copies', () => {
    const copied = restsOf('COPY').flatMap(copiedFiles);

    expect(operatorFiles).toEqual(copied);
  });

  it('is started as the Dockerfile says', () => {
    const fromDockerfile = {
      user: restsOf('USER').at(-1),
      entrypoint: JSON.parse(restsOf('ENTRYPOINT').at(-1) ?? 'null'),
      env: assignments('ENV'),
      workingDir: restsOf('WORKDIR').at(-1),
      labels: assignments('LABEL'),
    };

    expect(operatorConfig).toEqual(fromDockerfile);
  });

  it('has what injectors are started with', () => {
    const [node, bundle] = [operatorConfig.entrypoint.at(0), operatorConfig.entrypoint.at(-1)];

    expect(injectorCommand).toEqual([node, bundle]);
  });

  it('needs no instruction that only docker can run', () => {
    const names = new Set(instructions.map(({ name }) => name));

    expect([...names].sort()).toEqual(['COPY', 'ENTRYPOINT', 'ENV', 'FROM', 'LABEL', 'USER', 'WORKDIR']);
  });

  it('lets docker see every file that is copied and nothing else', async () => {
    const rules = (await readFile(path.join(repository, '.dockerignore'), 'utf8')).trim().split('\n');

    expect(rules).toEqual(['*', ...operatorFiles.map(({ source }) => `!${source}`)]);
  });
});

function parseDockerfile(text: string): Instruction[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [name = '', ...rest] = line.split(' ');
      return { name: name.toUpperCase(), rest: rest.join(' ').trim() };
    });
}

function restsOf(name: string): string[] {
  return instructions.filter((instruction) => instruction.name === name).map(({ rest }) => rest);
}

function copiedFiles(rest: string): { source: string; target: string; mode: number }[] {
  const words = rest.split(/\s+/);
  const mode = Number.parseInt(words.find((word) => word.startsWith('--chmod='))?.slice(8) ?? '', 8);
  const places = words.filter((word) => !word.startsWith('--'));
  const destination = places.at(-1) ?? '';
  return places.slice(0, -1).map((source) => ({
    source,
    target: destination.endsWith('/') ? `${destination}${path.basename(source)}` : destination,
    mode,
  }));
}

function assignments(name: string): Record<string, string> {
  return Object.fromEntries(
    restsOf(name).map((rest) => {
      const [key = '', ...value] = rest.split('=');
      return [key, value.join('=').replace(/^"(.*)"$/, '$1')];
    }),
  );
}
