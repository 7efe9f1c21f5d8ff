NAMES = ["sepal length", "sepal width", "petal length", "petal width"]
