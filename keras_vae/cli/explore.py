"""The command for trying out a model in the browser: `keras-vae explore`."""

import webbrowser

import click

from keras_vae import presets
from keras_vae.cli import evaluation_data
from keras_vae.cli import options
from keras_vae.cli.command import Command


@click.command(
    cls=Command,
    examples="""
    keras-vae explore vae_mnist_mini                opens a page in the browser
    keras-vae explore runs/photos --data ./photos   with pictures of your own as examples
    keras-vae explore vae_mnist --no-browser --port 8000
    """,
)
@options.preset()
@options.data
@click.option(
    "--port",
    type=options.Integer(0, 65535),
    default=0,
    metavar="N",
    help="Port of the page (default: any free port).",
)
@click.option("--no-browser", is_flag=True, help="Only print the address of the page.")
def explore(
    preset: str, data: str | None, data_dir: str | None, port: int, no_browser: bool
) -> None:
    """Try out a preset of pictures on a page in the browser.

    Move its latent dimensions, or change its codes; draw a picture and see what becomes of it. Only
    this machine can open the page, and nothing leaves it.
    """
    from keras_vae import explorer
    from keras_vae.models import GenerativeModel

    evaluation_data.check_name(data, data_dir)
    folder = presets.find(preset)
    model = GenerativeModel.from_preset(preset)
    x, labels = _examples(folder, data, data_dir, explorer.NUM_EXAMPLES)
    server = explorer.ExplorerServer(explorer.Explorer(model, preset, x, labels), port)
    print(f"{server.url}\nPress Ctrl+C to stop.", flush=True)
    if not no_browser:
        webbrowser.open(server.url)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        server.server_close()


def _examples(folder, data, data_dir, count):
    """Returns test pictures and their labels, or `None` twice if a preset's own data are not on
    this machine."""
    try:
        recipe = evaluation_data.recipe_of(folder, data, None)
        x = evaluation_data.pairs_of(recipe, count, data, data_dir)[0]
        return x, evaluation_data.labels_of(recipe, count, data, data_dir)
    except (ValueError, OSError, ImportError) as error:
        if data is not None:
            raise
        print(f"Samples from the model are shown in place of test pictures: {error}")
        return None, None
