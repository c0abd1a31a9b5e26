"""Where each build backend's settings say which files go into the sdist and the wheel, so that a remedy fits."""

from __future__ import annotations

from dataclasses import dataclass

from labhandbook.package.project import Project


@dataclass(frozen=True)
class Places:
    """How files get into a backend's `sdist`, how `data` of a package and its `modules` get into the wheel.

    `leave_out` keeps something out of both. Each is an order to a person, without a full stop.
    """

    sdist: str
    data: str
    modules: str
    leave_out: str


ANY = Places("name the files in the backend's settings for the sdist", "include the files as package data",
             "include the package in the backend's settings", "exclude them in the backend's settings")
PLACES = {
    "setuptools": Places("name the files in MANIFEST.in, as in include NAME",
                         'name the files in [tool.setuptools.package-data], as in PACKAGE = ["*.csv"]',
                         "use [tool.setuptools.packages.find], with where and include as the folders are",
                         "leave them out with include in [tool.setuptools.packages.find], and prune in MANIFEST.in"),
    "hatchling": Places("name the files in include under [tool.hatch.build.targets.sdist], or delete their exclude",
                        "hatchling takes all files of the package that git does not ignore: name ignored ones in "
                        "artifacts under [tool.hatch.build], or take them out of exclude",
                        "name the package in packages under [tool.hatch.build.targets.wheel]",
                        "leave them out with exclude under [tool.hatch.build]"),
    "flit": Places("name the files in include under [tool.flit.sdist]",
                   "flit takes all files of the package: move the files into its folder, or take them out of exclude",
                   "flit ships the one module or package in [tool.flit.module]: move the code into it",
                   "leave them out with exclude under [tool.flit.sdist]"),
    "pdm": Places("name the files in source-includes under [tool.pdm.build]",
                  "name the files in includes under [tool.pdm.build]",
                  "name the package in includes, and its folder in package-dir, under [tool.pdm.build]",
                  "leave them out with excludes under [tool.pdm.build]"),
    "poetry": Places('name the files in include under [tool.poetry], with format = "sdist"',
                     'name the files in include under [tool.poetry], with format = ["sdist", "wheel"]',
                     "name the package in packages under [tool.poetry]",
                     "leave them out with exclude under [tool.poetry]"),
    "uv_build": Places("name the files in source-include under [tool.uv.build-backend]",
                       "uv_build takes all files of the package: move the files into its folder, or take them out of "
                       "wheel-exclude",
                       "name the package in module-name under [tool.uv.build-backend]",
                       "leave them out with source-exclude and wheel-exclude under [tool.uv.build-backend]"),
    "maturin": Places('name the files in include under [tool.maturin], with format = "sdist"',
                      "name the files in include under [tool.maturin]",
                      "set python-source and python-packages under [tool.maturin]",
                      "leave them out with exclude under [tool.maturin]"),
    "mesonpy": Places("commit the files: meson-python's sdist holds what git tracks, less export-ignore in "
                      ".gitattributes",
                      "install the files in meson.build, with py.install_sources",
                      "install the modules in meson.build, with py.install_sources",
                      "give them export-ignore in .gitattributes, and don't install them in meson.build"),
    "scikit_build_core": Places("name the files in sdist.include under [tool.scikit-build]",
                                "keep the files in the folder of wheel.packages under [tool.scikit-build]",
                                "name the package in wheel.packages under [tool.scikit-build]",
                                "leave them out with sdist.exclude and wheel.exclude under [tool.scikit-build]"),
}


def places(project: Project) -> Places:
    """The settings of a project's backend."""
    return PLACES.get(project.tool, ANY)


def remedy(order: str) -> str:
    """An order as the sentence of a remedy."""
    return f"{order[:1].upper()}{order[1:]}; then build again."
